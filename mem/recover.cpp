// mem/recover.cpp -- see recover.h.
#include "mem/recover.h"

#include "mem/contract.h"
#include "mem/heap_repair.h"
#include "mem/segment.h"
#include "mem/slot_record.h"

namespace kahu::mem {
namespace {

// Locks outside the segment were the dead process's own and went with it.
bool inside_segment(const RobustRwLock* lock) noexcept {
    return segment_contains(lock) && segment_contains(reinterpret_cast<const std::byte*>(lock + 1) - 1) &&
           reinterpret_cast<uintptr_t>(lock) % alignof(RobustRwLock) == 0;
}

void release_locks(detail::LockJournal& journal, int slot, RecoveryReport& report) noexcept {
    uint32_t count = journal.count.load(std::memory_order_acquire);
    if (count > kMaxHeldLocks) count = kMaxHeldLocks;
    for (uint32_t i = 0; i < count; ++i) {
        RobustRwLock* const lock = journal.held[i].lock.load(std::memory_order_acquire);
        if (!lock || !inside_segment(lock)) continue;
        const RobustRwLock::Held held = lock->release_dead(slot);
        report.readers_released += held == RobustRwLock::Held::as_reader;
        report.writers_released += held == RobustRwLock::Held::as_writer;
        report.global_writers_released += held == RobustRwLock::Held::as_writer && lock->global();
    }
    for (detail::HeldLock& held : journal.held) held.lock.store(nullptr, std::memory_order_relaxed);
    journal.count.store(0, std::memory_order_release);
}

}  // namespace

RecoveryReport recover_slot(int slot) noexcept {
    REQUIRE(slot >= 0 && slot < kMaxSlots && slot != current_slot());
    REQUIRE(detail::slot_records != nullptr);
    detail::SlotRecord& record = detail::slot_records[slot];
    RecoveryReport report;
    release_locks(record.locks, slot, report);
    report.hazard_cleared = record.hazard.exchange(nullptr, std::memory_order_acq_rel) != nullptr;
    report.heap_sane = detail::repair_heap(slot, record.heap, report.heap_operation_settled);
    return report;
}

}  // namespace kahu::mem
