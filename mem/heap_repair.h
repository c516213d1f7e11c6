// mem/heap_repair.h -- settles what a dead process was doing in its heap.  Inside mem only.
#pragma once
#include "mem/heap_layout.h"

namespace kahu::mem::detail {

// Finishes or undoes the announced operation, finds out which fetched blocks are still on a remote list, and links
// the slot's spans anew.  `settled` says whether there was an operation.  False: the bookkeeping
// contradicts itself (scribbled on); the spans concerned are left out of use.
// Follows no pointer it has not checked; may be repeated.
bool repair_heap(int slot, SlotHeap& heap, bool& settled) noexcept;

// Shared with the walk.
bool plausible_small_span(const Span& span, int slot) noexcept;
bool plausible_block(const Span& span, const Block* block) noexcept;  // a block of it that was used before
bool in_free_list(const Span& span, const Block* block) noexcept;
// Blocks in span.free, or -1 if the list leaves the span or does not end.
int64_t count_free(const Span& span) noexcept;

}  // namespace kahu::mem::detail
