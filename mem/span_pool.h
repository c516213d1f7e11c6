// mem/span_pool.h -- the spans nobody owns, shared by all slots.  Inside mem only.
//
// WHY    A byte per span says whose it is, and is claimed by CAS.  There is no free list that a death could tear, or
//        whose links would have to be repaired; neighbouring free spans are a free run without further ado.
// LOCKS  None.
// FAILS  claim_spans() returns false when there is no such run.
#pragma once
#include "mem/heap_layout.h"

namespace kahu::mem::detail {

// Finds `count` neighbouring free spans, the lowest there are, and marks them.  On success the journal of `heap`
// says `step` (claim or claim_large): if the process dies before it clears that, recovery gives them back.
bool claim_spans(SlotHeap& heap, HeapStep step, uint32_t count, uint8_t mark, uint32_t& first) noexcept;

// Makes those spans of the run that bear `mark` free; the journal says `release` (or what it said before, if it
// covers that).  Repeating it after a death is right, because only the dead could have put `mark` there.
void release_marked(uint32_t first, uint32_t count, uint8_t mark) noexcept;

// Counts what the pool's statistics say from the map.  Others may claim meanwhile: an approximation.
void recount_pool() noexcept;

}  // namespace kahu::mem::detail
