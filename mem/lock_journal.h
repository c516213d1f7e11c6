// mem/lock_journal.h -- which locks a process may hold at this instant.  Inside mem only.
//
// WHY    A lock word says who holds it, but nobody can search all memory for lock words.  The entry is written
//        before the word is taken and dropped after it was released, so it covers every instant.
// LOCKS  Written by the slot's process only, read by the supervisor when that process is dead.
#pragma once
#include <atomic>
#include <cstdint>

#include "mem/contract.h"
#include "mem/rwlock.h"

namespace kahu::mem::detail {

// Keeps the compiler from moving a store across.  A process dies between instructions, and all that it
// had executed is seen by whoever waited for it; so program order is all that kill-safety needs.
inline void in_this_order() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

struct HeldLock {
    std::atomic<RobustRwLock*> lock;  // null: being dropped
    uint32_t depth;                   // recursion of a reader
    bool writing;
};

struct LockJournal {
    HeldLock held[kMaxHeldLocks];
    std::atomic<uint32_t> count;

    HeldLock* find(const RobustRwLock* lock) noexcept {
        for (uint32_t i = count.load(std::memory_order_relaxed); i-- > 0;) {
            if (held[i].lock.load(std::memory_order_relaxed) == lock) return &held[i];
        }
        return nullptr;
    }

    void add(RobustRwLock* lock, bool writing) noexcept {
        const uint32_t n = count.load(std::memory_order_relaxed);
        REQUIRE(n < kMaxHeldLocks);
        held[n].lock.store(lock, std::memory_order_relaxed);
        held[n].depth = 1;
        held[n].writing = writing;
        in_this_order();
        count.store(n + 1, std::memory_order_relaxed);
        in_this_order();
    }

    // The last entry moves into the gap; for an instant it is there twice, which recovery does not mind.
    void drop(HeldLock* entry) noexcept {
        in_this_order();
        const uint32_t last = count.load(std::memory_order_relaxed) - 1;
        if (entry != &held[last]) {
            entry->depth = held[last].depth;
            entry->writing = held[last].writing;
            entry->lock.store(held[last].lock.load(std::memory_order_relaxed), std::memory_order_relaxed);
            in_this_order();
        }
        held[last].lock.store(nullptr, std::memory_order_relaxed);
        in_this_order();
        count.store(last, std::memory_order_relaxed);
    }
};

}  // namespace kahu::mem::detail
