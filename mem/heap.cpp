// mem/heap.cpp -- see heap.h.  Fast paths first, then what happens once per span.
//
// Every operation of more than one store is announced in the slot's journal.  `kSteps` is the same code with a
// place to be killed between the stores; it runs only while a test injects failures.
#include "mem/heap.h"

#include <string.h>

#include "mem/contract.h"
#include "mem/failure.h"
#include "mem/heap_journal.h"
#include "mem/heap_repair.h"
#include "mem/heap_spans.h"
#include "mem/slot_record.h"
#include "mem/span_pool.h"

namespace kahu::mem {
namespace {

using namespace detail;

template <bool kSteps>
void step() noexcept {
    if constexpr (kSteps) injection_point(Point::alloc);
}

template <bool kSteps>
void* pop(SlotHeap& heap, Span& span, Tag tag) noexcept {
    Block* const block = span.free;
    announce(heap, HeapStep::take, tag, block);
    step<kSteps>();
    span.free = block->next;
    step<kSteps>();
    ++span.used;
    step<kSteps>();
    charge(heap, tag, span.block_bytes, 1);
    step<kSteps>();
    finish(heap);
    return block;
}

template <bool kSteps>
void* carve(SlotHeap& heap, Span& span, Tag tag) noexcept {
    auto* const block = reinterpret_cast<Block*>(span_begin(&span) + span.fresh);
    announce(heap, HeapStep::take, tag, block);
    step<kSteps>();
    span.fresh += span.block_bytes;
    step<kSteps>();
    ++span.used;
    step<kSteps>();
    charge(heap, tag, span.block_bytes, 1);
    step<kSteps>();
    finish(heap);
    return block;
}

template <bool kSteps>
[[gnu::noinline]] void* take_slow(SlotHeap& heap, int size_class, Tag tag) noexcept {
    Span* const span = span_with_space(heap, size_class);
    if (!span) return nullptr;
    return span->free ? pop<kSteps>(heap, *span, tag) : carve<kSteps>(heap, *span, tag);
}

template <bool kSteps>
void* take(SlotHeap& heap, size_t bytes, Tag tag) noexcept {
    if (bytes > kLargestSmall) return allocate_run(heap, bytes, tag);
    const int size_class = class_of(bytes);
    Span* const span = heap.current[size_class];
    if (!span || !span->free) [[unlikely]]
        return take_slow<kSteps>(heap, size_class, tag);
    return pop<kSteps>(heap, *span, tag);
}

template <bool kSteps>
void give_own(SlotHeap& heap, Span& span, Block* block, Tag tag) noexcept {
    REQUIRE(span.free != block && span.used != 0);  // the cheap part of: not free already
    EXPENSIVE_INVARIANT(!in_free_list(span, block));
    announce(heap, HeapStep::give, tag, block);
    step<kSteps>();
    block->next = span.free;
    step<kSteps>();
    span.free = block;
    step<kSteps>();
    --span.used;
    step<kSteps>();
    charge(heap, tag, -int64_t{span.block_bytes}, -1);
    step<kSteps>();
    finish(heap);
    if (span.used == 0 || !span.listed) [[unlikely]]
        span_got_space(heap, span);
}

template <bool kSteps>
[[gnu::noinline]] void give_remote(SlotHeap& heap, Span& span, Block* block, Tag tag) noexcept {
    const int64_t bytes = span.block_bytes;  // once pushed, the block and its span are no longer ours to look at
    std::atomic<Block*>& list = span.heap->remote[span.size_class];
    block->pushed_by.store(pusher(current_slot()), std::memory_order_relaxed);
    heap.journal.count = span.block_bytes;
    step<kSteps>();
    announce(heap, HeapStep::give_remote, tag, block);
    step<kSteps>();
    block->next = list.load(std::memory_order_relaxed);
    while (!list.compare_exchange_weak(block->next, block, std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    step<kSteps>();
    enter(heap, HeapStep::gave_remote);
    step<kSteps>();
    charge(heap, tag, -bytes, -1);
    step<kSteps>();
    finish(heap);
}

template <bool kSteps>
void give(SlotHeap& heap, void* pointer, Tag tag) noexcept {
    Span* const span = span_of(pointer);
    REQUIRE(span != nullptr);
    if (span->size_class >= kSizeClasses) [[unlikely]] {
        deallocate_run(heap, *span, pointer, tag);
        return;
    }
    INVARIANT((reinterpret_cast<uintptr_t>(pointer) - span_begin(span)) % span->block_bytes == 0);
    INVARIANT(reinterpret_cast<uintptr_t>(pointer) - span_begin(span) < span->fresh);
    auto* const block = static_cast<Block*>(pointer);
    if (span->heap == &heap) [[likely]]
        give_own<kSteps>(heap, *span, block, tag);
    else give_remote<kSteps>(heap, *span, block, tag);
}

[[gnu::noinline]] void* allocate_watched(size_t bytes, Tag tag) noexcept {
    REQUIRE(own_record != nullptr);
    if (allocation_must_fail()) return nullptr;
    return take<true>(own_record->heap, bytes, tag);
}

[[gnu::noinline]] void deallocate_watched(void* block, Tag tag) noexcept {
    REQUIRE(own_record != nullptr);
    give<true>(own_record->heap, block, tag);
}

}  // namespace

void* allocate(size_t bytes, Tag tag) noexcept {
    SlotHeap* const heap = fast_heap;
    if (!heap) [[unlikely]]
        return allocate_watched(bytes, tag);
    return take<false>(*heap, bytes, tag);
}

void deallocate(void* block, Tag tag) noexcept {
    if (!block) return;
    SlotHeap* const heap = fast_heap;
    if (!heap) [[unlikely]]
        return deallocate_watched(block, tag);
    give<false>(*heap, block, tag);
}

size_t usable_size(const void* block) noexcept {
    const Span* const span = span_of(block);
    REQUIRE(span != nullptr && span->size_class != kUnusedClass);
    return span->size_class == kLargeClass ? size_t{span->run} * kSpanBytes : span->block_bytes;
}

void* reallocate(void* block, size_t bytes, Tag tag) noexcept {
    if (!block) return allocate(bytes, tag);
    if (bytes == 0) {
        deallocate(block, tag);
        return nullptr;
    }
    const size_t usable = usable_size(block);
    const size_t needed =
        bytes <= kLargestSmall ? kClassBytes[class_of(bytes)] : (bytes - 1) / kSpanBytes * kSpanBytes + kSpanBytes;
    if (needed == usable) return block;
    void* const moved = allocate(bytes, tag);
    if (!moved) return bytes <= usable ? block : nullptr;  // shrinking never fails
    memcpy(moved, block, bytes < usable ? bytes : usable);
    deallocate(block, tag);
    return moved;
}

void tidy_heap() noexcept {
    REQUIRE(own_record != nullptr);
    tidy(own_record->heap);
}

}  // namespace kahu::mem
