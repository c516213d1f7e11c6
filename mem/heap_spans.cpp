// mem/heap_spans.cpp -- see heap_spans.h.
#include "mem/heap_spans.h"

#include "mem/contract.h"
#include "mem/failure.h"
#include "mem/heap_journal.h"
#include "mem/slot_record.h"
#include "mem/span_pool.h"

namespace kahu::mem::detail {
namespace {

bool has_space(const Span& span) noexcept { return span.free || span.fresh < span.limit; }

void point() noexcept { injection_point(Point::alloc); }

void set_up(SlotHeap& heap, Span& span, int size_class) noexcept {
    span.free = nullptr;
    span.heap = &heap;
    span.used = span.fresh = 0;
    span.block_bytes = kClassBytes[size_class];
    span.limit = static_cast<uint32_t>(kSpanBytes / span.block_bytes * span.block_bytes);
    span.run = 1;
    span.size_class = static_cast<uint8_t>(size_class);
    point();
    list_span(heap, span);
}

void announce_release(SlotHeap& heap, HeapStep step, const Span& span, uint32_t count, uint8_t mark) noexcept {
    heap.journal.first = span_index(&span);
    heap.journal.count = count;
    heap.journal.mark = mark;
    enter(heap, step);
    point();
}

void release_span(SlotHeap& heap, Span& span) noexcept {
    unlist_span(heap, span);
    point();
    announce_release(heap, HeapStep::release, span, 1, small_mark(current_slot()));
    span.size_class = kUnusedClass;
    release_marked(heap.journal.first, 1, heap.journal.mark);
    finish(heap);
}

// Announced as a claim: it is empty, so a death meanwhile may well give it to the pool.
Span* convert_empty_span(SlotHeap& heap, int size_class) noexcept {
    for (Span* span : heap.current) {
        if (!span || span->used != 0) continue;
        unlist_span(heap, *span);
        announce_release(heap, HeapStep::claim, *span, 1, small_mark(current_slot()));
        set_up(heap, *span, size_class);
        finish(heap);
        return span;
    }
    return nullptr;
}

Span* fresh_span(SlotHeap& heap, int size_class) noexcept {
    uint32_t first = 0;
    if (!claim_spans(heap, HeapStep::claim, 1, small_mark(current_slot()), first)) return nullptr;
    point();
    Span& span = heap_geometry.span[first];
    set_up(heap, span, size_class);
    finish(heap);
    return &span;
}

void collect_block(SlotHeap& heap, std::atomic<Block*>& fetched) noexcept {
    Block* const block = fetched.load(std::memory_order_relaxed);
    Span* const span = span_of(block);
    REQUIRE(span != nullptr && span->heap == &heap);
    heap.journal.block = block;
    enter(heap, HeapStep::collect);
    point();
    block->pushed_by.store(0, std::memory_order_relaxed);
    in_this_order();
    fetched.store(block->next, std::memory_order_release);
    in_this_order();
    point();
    block->next = span->free;
    span->free = block;
    point();
    --span->used;
    point();
    finish(heap);
    if (span->used == 0 || !span->listed) span_got_space(heap, *span);
}

// Takes what others freed.  `fetched` is set before the list is taken off: killed between the two, recovery finds
// that it is still part of `remote`; killed later, the successor goes on with `fetched`.
void collect(SlotHeap& heap, int size_class) noexcept {
    std::atomic<Block*>& fetched = heap.fetched[size_class];
    std::atomic<Block*>& remote = heap.remote[size_class];
    for (;;) {
        while (fetched.load(std::memory_order_relaxed)) collect_block(heap, fetched);
        Block* head = remote.load(std::memory_order_relaxed);
        if (!head) return;
        do {
            fetched.store(head, std::memory_order_release);
            in_this_order();
            point();
        } while (!remote.compare_exchange_weak(head, nullptr, std::memory_order_acq_rel, std::memory_order_relaxed));
        point();
    }
}

}  // namespace

Span* span_with_space(SlotHeap& heap, int size_class) noexcept {
    Span*& current = heap.current[size_class];
    for (bool squeezed = false;; squeezed = true) {
        while (current && !has_space(*current)) unlist_span(heap, *current);
        if (!current) collect(heap, size_class);
        if (current) return current;
        if (Span* span = convert_empty_span(heap, size_class)) return span;
        if (Span* span = fresh_span(heap, size_class)) return span;
        if (squeezed) return nullptr;
        tidy(heap);
    }
}

void span_got_space(SlotHeap& heap, Span& span) noexcept {
    if (!span.listed) list_span(heap, span);
    const bool alone = heap.current[span.size_class] == &span && !span.next;
    if (span.used == 0 && !alone) release_span(heap, span);
}

void tidy(SlotHeap& heap) noexcept {
    for (int size_class = 0; size_class < kSizeClasses; ++size_class) {
        collect(heap, size_class);
        for (Span *span = heap.current[size_class], *next = nullptr; span; span = next) {
            next = span->next;
            if (span->used == 0) release_span(heap, *span);
        }
    }
}

void* allocate_run(SlotHeap& heap, size_t bytes, Tag tag) noexcept {
    if (bytes > size_t{heap_geometry.spans} * kSpanBytes) return nullptr;
    const auto count = static_cast<uint32_t>((bytes + kSpanBytes - 1) / kSpanBytes);
    const uint8_t mark = large_mark(current_slot());
    uint32_t first = 0;
    note_account(heap, tag);
    if (!claim_spans(heap, HeapStep::claim_large, count, mark, first)) {
        tidy(heap);
        note_account(heap, tag);
        if (!claim_spans(heap, HeapStep::claim_large, count, mark, first)) return nullptr;
    }
    point();
    Span& span = heap_geometry.span[first];
    for (uint32_t i = 0; i < count; ++i) (&span)[i].size_class = kUnusedClass;
    span.heap = &heap;
    span.run = count;
    span.size_class = kLargeClass;
    point();
    charge(heap, tag, static_cast<int64_t>(count * kSpanBytes), 1);
    point();
    finish(heap);
    return reinterpret_cast<void*>(span_begin(&span));
}

// Another slot's block first gets our mark, so that recovery can tell which of its spans are not free yet.
void deallocate_run(SlotHeap& heap, Span& span, void* block, Tag tag) noexcept {
    REQUIRE(span.size_class == kLargeClass && reinterpret_cast<uintptr_t>(block) == span_begin(&span));
    const uint32_t first = span_index(&span), count = span.run;
    const uint8_t mark = large_mark(current_slot());
    note_account(heap, tag);
    announce_release(heap, HeapStep::take_over, span, count, mark);
    if (span.heap != &heap) {
        for (uint32_t i = first; i < first + count; ++i) {
            heap_geometry.map[i].store(mark, std::memory_order_relaxed);
            point();
        }
    }
    enter(heap, HeapStep::release_large);
    charge(heap, tag, -static_cast<int64_t>(count * kSpanBytes), -1);
    point();
    span.size_class = kUnusedClass;
    release_marked(first, count, mark);
    finish(heap);
}

}  // namespace kahu::mem::detail
