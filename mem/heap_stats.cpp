// mem/heap_stats.cpp -- heap_stats(): the sums.  The walk that confirms them is in heap_walk.cpp.
#include "mem/heap_stats.h"

#include "mem/slot_record.h"

namespace kahu::mem {
namespace {

using namespace detail;

void sum_accounts(HeapStats& stats) noexcept {
    int64_t used = 0;
    for (int slot = 0; slot < kMaxSlots; ++slot) {
        for (int tag = 0; tag < kTags; ++tag) {
            const Account& account = slot_records[slot].heap.accounts[tag];
            stats.by_tag[tag].bytes += account.bytes.load(std::memory_order_relaxed);
            stats.by_tag[tag].blocks += account.blocks.load(std::memory_order_relaxed);
        }
    }
    for (const TagUse& use : stats.by_tag) used += use.bytes;
    stats.used = used > 0 ? static_cast<size_t>(used) : 0;  // a moment's blur may be below zero
}

}  // namespace

HeapStats heap_stats() noexcept {
    HeapStats stats;
    if (!slot_records) return stats;
    sum_accounts(stats);
    bool in_run = false;
    for (uint32_t i = 0; i < heap_geometry.spans; ++i) {
        const uint8_t mark = heap_geometry.map[i].load(std::memory_order_relaxed);
        const bool free = is_free_mark(mark);
        stats.real_used += free ? 0 : kSpanBytes;
        stats.resident_free += mark == kFreeWarm ? kSpanBytes : 0;
        stats.fragments += free && !in_run;
        in_run = free;
    }
    stats.total = size_t{heap_geometry.spans} * kSpanBytes;
    stats.free = stats.total - stats.real_used;
    const size_t peak = size_t{heap_geometry.pool->peak.load(std::memory_order_relaxed)} * kSpanBytes;
    stats.max_used = peak > stats.real_used ? peak : stats.real_used;
    return stats;
}

}  // namespace kahu::mem
