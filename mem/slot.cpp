// mem/slot.cpp -- see slot.h.
#include "mem/slot.h"

#include "mem/contract.h"
#include "mem/failure.h"
#include "mem/slot_record.h"

namespace kahu::mem {

namespace detail {

void refresh_own_record() noexcept {
    own_record = slot_records && own_slot >= 0 ? &slot_records[own_slot] : nullptr;
    fast_heap = own_record && !injecting ? &own_record->heap : nullptr;
}

}  // namespace detail

void attach_slot(int slot) noexcept {
    REQUIRE(slot >= -1 && slot < kMaxSlots);
    detail::own_slot = slot;
    detail::refresh_own_record();
}

}  // namespace kahu::mem
