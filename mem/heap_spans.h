// mem/heap_spans.h -- what the heap does once per span rather than once per block.  Inside mem only.
#pragma once
#include "mem/heap_layout.h"

namespace kahu::mem::detail {

// A span of that class with a free or fresh block, now first in the slot's list; nullptr: heap exhausted.
// Looks in this order: own spans, what others freed, an empty span of another class, the pool.
Span* span_with_space(SlotHeap& heap, int size_class) noexcept;

// After a block came back to a span that was full, or the last block to any: lists it, or returns it to the
// pool.  The only listed span of a class stays although empty, so that one block to and fro costs no span.
void span_got_space(SlotHeap& heap, Span& span) noexcept;

// Takes everything others freed back and returns all empty spans.
void tidy(SlotHeap& heap) noexcept;

// Blocks above kLargestSmall: whole spans of their own.
void* allocate_run(SlotHeap& heap, size_t bytes, Tag tag) noexcept;
void deallocate_run(SlotHeap& heap, Span& span, void* block, Tag tag) noexcept;

}  // namespace kahu::mem::detail
