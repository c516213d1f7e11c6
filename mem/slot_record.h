// mem/slot_record.h -- a slot's record in the segment.  Inside mem only.
#pragma once
#include <atomic>

#include "mem/heap_layout.h"
#include "mem/lock_journal.h"
#include "mem/slot.h"

namespace kahu::mem::detail {

struct alignas(64) SlotRecord {
    LockJournal locks;
    alignas(64) std::atomic<const void*> hazard;
    SlotHeap heap;
};

inline constinit SlotRecord* slot_records = nullptr;  // kMaxSlots of them; null: no segment
inline constinit SlotRecord* own_record = nullptr;    // null: no segment or no slot

// Sets own_record and fast_heap anew from the segment, the slot and the hooks.
void refresh_own_record() noexcept;

}  // namespace kahu::mem::detail
