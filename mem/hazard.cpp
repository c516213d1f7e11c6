// mem/hazard.cpp -- see hazard.h.
#include "mem/hazard.h"

#include "mem/contract.h"
#include "mem/slot_record.h"

namespace kahu::mem {

std::atomic<const void*>& detail::own_hazard() noexcept {
    REQUIRE(own_record != nullptr);
    return own_record->hazard;
}

void clear_hazard() noexcept { detail::own_hazard().store(nullptr, std::memory_order_release); }

bool anyone_protects(const void* object) noexcept {
    REQUIRE(detail::slot_records != nullptr);
    if (!object) return false;
    std::atomic_thread_fence(std::memory_order_seq_cst);  // after the publisher's exchange
    for (int slot = 0; slot < kMaxSlots; ++slot) {
        if (detail::slot_records[slot].hazard.load(std::memory_order_seq_cst) == object) return true;
    }
    return false;
}

}  // namespace kahu::mem
