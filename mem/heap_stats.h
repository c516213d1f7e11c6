// mem/heap_stats.h -- what the heap says it holds (heap_stats), and what a walk of every span finds
// (walk_heap).  When all processes are at rest the two agree to the byte; a test holds them to it.
//
// LOCKS  None.  While others work the figures are a moment's blur: each is right for some instant near now.
// FAILS  Never: the walk follows no pointer that it has not checked, and ends on any content of the heap.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "mem/tag.h"

namespace kahu::mem {

inline constexpr int kSizeClasses = 40;  // 16 bytes .. 32 KiB

struct TagUse {
    int64_t bytes = 0;  // rounded up to size classes
    int64_t blocks = 0;
};

struct HeapStats {
    size_t total = 0;          // bytes of the heap
    size_t used = 0;           // in blocks handed out, rounded up to their classes
    size_t real_used = 0;      // in spans taken from the pool: used + free blocks within spans + bookkeeping
    size_t max_used = 0;       // highest real_used so far
    size_t free = 0;           // total - real_used
    size_t fragments = 0;      // runs of free spans
    size_t resident_free = 0;  // bytes of free spans that are kept in memory for reuse
    std::array<TagUse, kTags> by_tag{};
};
HeapStats heap_stats() noexcept;

struct WalkResult {
    bool valid = false;
    std::string reason;  // empty if valid; else which span and what is wrong with it
    size_t used = 0;     // bytes in blocks handed out, as HeapStats::used
    size_t blocks = 0;   // handed out
    size_t pending = 0;  // blocks freed by others that their owner has not taken back yet
    size_t spans = 0;    // taken from the pool
    std::array<size_t, kSizeClasses> blocks_by_class{};
    size_t large_blocks = 0;
};
// Checks every span's bookkeeping and every free list (in range, aligned, no cycle, no block twice), and
// recounts.  With others running, a span that looks wrong is looked at again until it does not or this has
// gone on for 200 ms (5 s if its owner has announced an operation: it may wait for a processor); the figures are then
// approximate, and `pending` and the lists between spans are left out. Takes about 10 ns per free block; allocates from
// the process's own malloc.
enum class Others : uint8_t { at_rest, running };
WalkResult walk_heap(Others others = Others::at_rest);

}  // namespace kahu::mem
