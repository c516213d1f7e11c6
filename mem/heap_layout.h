// mem/heap_layout.h -- the heap's structures in the segment.  Inside mem only.
//
//   span map    one byte per span: whose it is.  The truth about ownership; changed by CAS.
//   Span        one cache line per span, beside the map, not in the span: a free span's pages can go back
//               to the kernel, and an overrun block does not hit bookkeeping.
//   SlotHeap    one per slot: spans with free blocks by class, what others freed, accounts, journal.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "mem/size_classes.h"
#include "mem/slot.h"
#include "mem/tag.h"

namespace kahu::mem::detail {

struct Block {
    Block* next;  // in a list of free blocks
    // While on a remote list: who pushed it.  Cleared by the owner who takes it back, so that recovery can tell
    // whether a push had happened whose process died right at it.
    std::atomic<uint64_t> pushed_by;
};
static_assert(sizeof(Block) <= kClassBytes[0]);

inline constexpr uint64_t pusher(int slot) { return 0x6b616875'00000000 | static_cast<uint64_t>(slot + 1); }

struct SlotHeap;

inline constexpr uint8_t kLargeClass = 0xff;   // first span of a run that holds one large block
inline constexpr uint8_t kUnusedClass = 0xfe;  // not in use: a pointer into it is not ours

struct alignas(64) Span {
    Block* free;     // blocks that were used and are free again
    SlotHeap* heap;  // the owner's
    Span* next;      // in the owner's list of spans of this class that have free blocks
    Span* prev;
    uint32_t used;   // blocks not in `free` and not fresh (so: including those others have freed)
    uint32_t fresh;  // offset of the first byte never used
    uint32_t limit;  // offset of the end of the last block
    uint32_t block_bytes;
    uint32_t run;  // spans of a large block
    uint8_t size_class;
    bool listed;  // in the owner's list
};
static_assert(sizeof(Span) == 64);

// Values of a byte of the span map.
inline constexpr uint8_t kFreeCold = 0;     // no memory behind it
inline constexpr uint8_t kFreeWarm = 0xff;  // memory kept for reuse
inline constexpr uint8_t small_mark(int slot) { return static_cast<uint8_t>(slot + 1); }
inline constexpr uint8_t large_mark(int slot) { return static_cast<uint8_t>(slot + 65); }
inline constexpr bool is_free_mark(uint8_t mark) { return mark == kFreeCold || mark == kFreeWarm; }
inline constexpr bool is_small_mark(uint8_t mark) { return mark >= 1 && mark <= kMaxSlots; }
inline constexpr bool is_large_mark(uint8_t mark) { return mark >= 65 && mark < 65 + kMaxSlots; }

struct Account {
    std::atomic<int64_t> bytes, blocks;
};

// What the process was doing when it died.  Written before the first store of an operation that takes
// several, cleared after the last; heap_repair.cpp says what each means.
enum class HeapStep : uint8_t {
    none,
    take,           // block leaves span->free or the fresh part; not yet the caller's
    give,           // block goes to span->free; no longer the caller's
    collect,        // block goes from fetched[] to span->free
    give_remote,    // block goes to another slot's remote list: perhaps not there yet ...
    gave_remote,    // ... there; the account is yet to be changed
    claim,          // spans `first`, `count` get `mark`; nobody uses them yet
    claim_large,    // as claim, with an account to change back
    release,        // spans `first`, `count` that bear `mark` become free
    take_over,      // another slot's large block gets our mark, so that release can be resumed
    release_large,  // as release, with an account to change
};

struct HeapJournal {
    std::atomic<HeapStep> step;
    uint8_t tag;
    uint8_t mark;
    uint32_t first, count;  // spans; gave_remote: count is the block's size
    Block* block;
    int64_t bytes_before, blocks_before;  // of the account
};

struct alignas(64) SlotHeap {
    alignas(64) HeapJournal journal;
    alignas(64) Account accounts[kTags];                   // only this slot's share: may be negative, the sum is not
    Span* current[kSizeClasses];                           // list of spans with free blocks
    std::atomic<Block*> fetched[kSizeClasses];             // taken off `remote`, not yet back in their spans
    alignas(64) std::atomic<Block*> remote[kSizeClasses];  // pushed by others
};

struct alignas(64) SpanPool {
    std::atomic<uint32_t> lowest_free;         // a hint: no free span below, as far as known
    std::atomic<uint32_t> in_use, peak, warm;  // for statistics and for the decision to keep memory
};

// Where things are: process-private, the same in all processes, so no scribbling can mislead us.
struct HeapGeometry {
    uintptr_t begin = 0;  // of span 0
    uint32_t spans = 0;
    uint32_t warm_limit = 0;
    Span* span = nullptr;
    std::atomic<uint8_t>* map = nullptr;
    SpanPool* pool = nullptr;
};
inline constinit HeapGeometry heap_geometry;

inline uint32_t span_index(const Span* span) noexcept { return static_cast<uint32_t>(span - heap_geometry.span); }
inline uintptr_t span_begin(const Span* span) noexcept {
    return heap_geometry.begin + static_cast<uintptr_t>(span_index(span)) * kSpanBytes;
}

// The span a pointer lies in, or nullptr if it is not in the heap.
inline Span* span_of(const void* p) noexcept {
    const uintptr_t index = (reinterpret_cast<uintptr_t>(p) - heap_geometry.begin) / kSpanBytes;
    return index < heap_geometry.spans ? &heap_geometry.span[index] : nullptr;
}

// Null while no slot is attached and while failures are injected, so that one test in the fast path covers
// all three.
inline constinit SlotHeap* fast_heap = nullptr;

}  // namespace kahu::mem::detail
