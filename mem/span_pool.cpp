// mem/span_pool.cpp -- see span_pool.h.
#include "mem/span_pool.h"

#include <sys/mman.h>

#include "mem/failure.h"
#include "mem/lock_journal.h"

namespace kahu::mem::detail {
namespace {

uint8_t mark_at(uint32_t index) noexcept { return heap_geometry.map[index].load(std::memory_order_relaxed); }

// First index >= from where `count` free spans begin, or the number of spans.
uint32_t find_run(uint32_t from, uint32_t count) noexcept {
    uint32_t length = 0;
    for (uint32_t i = from; i < heap_geometry.spans; ++i) {
        length = is_free_mark(mark_at(i)) ? length + 1 : 0;
        if (length == count) return i + 1 - count;
    }
    return heap_geometry.spans;
}

// All or nothing.
bool mark_run(uint32_t first, uint32_t count, uint8_t mark) noexcept {
    uint32_t warm = 0;
    for (uint32_t i = 0; i < count; ++i) {
        uint8_t seen = mark_at(first + i);
        if (is_free_mark(seen) &&
            heap_geometry.map[first + i].compare_exchange_strong(seen, mark, std::memory_order_acq_rel)) {
            warm += seen == kFreeWarm;
            injection_point(Point::alloc);
            continue;
        }
        // Somebody was faster.  A cold one may have become warm by name only: that costs nothing but a later purge.
        for (uint32_t k = i; k-- > 0;) heap_geometry.map[first + k].store(kFreeWarm, std::memory_order_release);
        heap_geometry.pool->warm.fetch_add(i - warm, std::memory_order_relaxed);
        return false;
    }
    heap_geometry.pool->warm.fetch_sub(warm, std::memory_order_relaxed);
    return true;
}

void note_claimed(uint32_t count) noexcept {
    SpanPool& pool = *heap_geometry.pool;
    const uint32_t now = pool.in_use.fetch_add(count, std::memory_order_relaxed) + count;
    uint32_t peak = pool.peak.load(std::memory_order_relaxed);
    while (now > peak && now <= heap_geometry.spans && !pool.peak.compare_exchange_weak(peak, now)) {
    }
}

void lower_hint(uint32_t to) noexcept {
    uint32_t hint = heap_geometry.pool->lowest_free.load(std::memory_order_relaxed);
    while (to < hint && !heap_geometry.pool->lowest_free.compare_exchange_weak(hint, to)) {
    }
}

bool try_from(SlotHeap& heap, HeapStep step, uint32_t from, uint32_t count, uint8_t mark, uint32_t& first) noexcept {
    for (first = find_run(from, count); first < heap_geometry.spans; first = find_run(first + 1, count)) {
        heap.journal.first = first;
        heap.journal.count = count;
        heap.journal.mark = mark;
        in_this_order();
        heap.journal.step.store(step, std::memory_order_relaxed);
        in_this_order();
        if (mark_run(first, count, mark)) return true;
        in_this_order();
        heap.journal.step.store(HeapStep::none, std::memory_order_relaxed);
    }
    return false;
}

}  // namespace

bool claim_spans(SlotHeap& heap, HeapStep step, uint32_t count, uint8_t mark, uint32_t& first) noexcept {
    uint32_t hint = heap_geometry.pool->lowest_free.load(std::memory_order_relaxed);
    if (hint > heap_geometry.spans) hint = 0;
    if (!try_from(heap, step, hint, count, mark, first)) {
        // The hint is only a hint: a span below it may have been freed while somebody raised it.
        if (hint == 0 || !try_from(heap, step, 0, count, mark, first)) return false;
    }
    if (count == 1) heap_geometry.pool->lowest_free.compare_exchange_strong(hint, first + 1);
    note_claimed(count);
    return true;
}

void release_marked(uint32_t first, uint32_t count, uint8_t mark) noexcept {
    SpanPool& pool = *heap_geometry.pool;
    const auto warm = static_cast<int32_t>(pool.warm.load(std::memory_order_relaxed));  // after a death: about
    const bool keep = warm + int64_t{count} <= heap_geometry.warm_limit;
    if (!keep) {  // the whole run is still ours or, in a repeated release, partly somebody else's: span by span
        for (uint32_t i = first; i < first + count; ++i) {
            if (mark_at(i) != mark) continue;
            madvise(reinterpret_cast<void*>(heap_geometry.begin + size_t{i} * kSpanBytes), kSpanBytes, MADV_REMOVE);
        }
    }
    uint32_t released = 0;
    for (uint32_t i = first; i < first + count; ++i) {
        if (mark_at(i) != mark) continue;
        heap_geometry.map[i].store(keep ? kFreeWarm : kFreeCold, std::memory_order_release);
        ++released;
        injection_point(Point::alloc);
    }
    if (keep) pool.warm.fetch_add(released, std::memory_order_relaxed);
    pool.in_use.fetch_sub(released, std::memory_order_relaxed);
    lower_hint(first);
}

void recount_pool() noexcept {
    uint32_t used = 0, warm = 0;
    for (uint32_t i = 0; i < heap_geometry.spans; ++i) {
        const uint8_t mark = mark_at(i);
        used += !is_free_mark(mark);
        warm += mark == kFreeWarm;
    }
    heap_geometry.pool->in_use.store(used, std::memory_order_relaxed);
    heap_geometry.pool->warm.store(warm, std::memory_order_relaxed);
}

}  // namespace kahu::mem::detail
