// mem/rwlock.cpp -- see rwlock.h.
#include "mem/rwlock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

#include "mem/contract.h"
#include "mem/failure.h"
#include "mem/slot_record.h"

namespace kahu::mem {
namespace {

constexpr int kSpins = 300;                     // some microseconds: longer than most holders need
constexpr long kSleepNanoseconds = 20'000'000;  // a wake that got lost with its sender costs this much

constexpr uint64_t reader_bit(int slot) { return uint64_t{1} << slot; }
constexpr uint64_t writer_word(int slot) { return static_cast<uint64_t>(slot + 1) << kMaxSlots; }
constexpr bool has_writer(uint64_t word) { return word >> kMaxSlots != 0; }

void spin_once() noexcept { __builtin_ia32_pause(); }

void futex_sleep(std::atomic<uint32_t>& word, uint32_t while_it_is) noexcept {
    const timespec limit{.tv_sec = 0, .tv_nsec = kSleepNanoseconds};
    syscall(SYS_futex, &word, FUTEX_WAIT, while_it_is, &limit, nullptr, 0);
}

detail::LockJournal& own_journal() noexcept {
    REQUIRE(detail::own_record != nullptr);
    return detail::own_record->locks;
}

}  // namespace

bool RobustRwLock::acquire_read(int slot) noexcept {
    uint64_t word = word_.load(std::memory_order_relaxed);
    do {
        if (has_writer(word)) return false;
    } while (!word_.compare_exchange_weak(word, word | reader_bit(slot), std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
}

bool RobustRwLock::acquire_write(int slot) noexcept {
    uint64_t free = 0;
    return word_.load(std::memory_order_relaxed) == 0 &&
           word_.compare_exchange_strong(free, writer_word(slot), std::memory_order_acq_rel, std::memory_order_relaxed);
}

void RobustRwLock::read_lock() noexcept {
    detail::LockJournal& journal = own_journal();
    if (detail::HeldLock* held = journal.find(this)) {
        REQUIRE(!held->writing);
        ++held->depth;
        return;
    }
    injection_point(Point::lock);
    journal.add(this, false);
    injection_point(Point::lock);
    const int slot = current_slot();
    if (writer_waits_.load(std::memory_order_relaxed) || !acquire_read(slot)) read_slow(slot);
    injection_point(Point::lock);
}

void RobustRwLock::write_lock() noexcept {
    detail::LockJournal& journal = own_journal();
    REQUIRE(journal.find(this) == nullptr);
    injection_point(Point::lock);
    journal.add(this, true);
    injection_point(Point::lock);
    const int slot = current_slot();
    if (!acquire_write(slot)) write_slow(slot);
    injection_point(Point::lock);
}

bool RobustRwLock::try_read_lock() noexcept {
    detail::LockJournal& journal = own_journal();
    if (detail::HeldLock* held = journal.find(this)) {
        if (held->writing) return false;
        ++held->depth;
        return true;
    }
    journal.add(this, false);
    injection_point(Point::lock);
    if (acquire_read(current_slot())) return true;
    journal.drop(journal.find(this));
    return false;
}

bool RobustRwLock::try_write_lock() noexcept {
    detail::LockJournal& journal = own_journal();
    if (journal.find(this)) return false;
    journal.add(this, true);
    injection_point(Point::lock);
    if (acquire_write(current_slot())) return true;
    journal.drop(journal.find(this));
    return false;
}

void RobustRwLock::unlock() noexcept {
    detail::LockJournal& journal = own_journal();
    detail::HeldLock* held = journal.find(this);
    REQUIRE(held != nullptr);
    if (held->depth > 1) {
        --held->depth;
        return;
    }
    injection_point(Point::lock);
    detail::in_this_order();
    const int slot = current_slot();
    const uint64_t mine = held->writing ? writer_word(slot) : reader_bit(slot);
    const uint64_t before = word_.fetch_sub(mine, std::memory_order_seq_cst);  // one xadd; fetch_and would be a loop
    INVARIANT((before & mine) == mine);
    injection_point(Point::lock);
    if (before == mine && waiting_.load(std::memory_order_seq_cst)) wake();
    injection_point(Point::lock);
    journal.drop(held);
    injection_point(Point::lock);
}

// A waiting writer goes first, but only for one sleep: if it has died, or waits for us elsewhere, its flag
// must not stop readers for ever.
void RobustRwLock::read_slow(int slot) noexcept {
    for (bool polite = true;; polite = false) {
        for (int i = 0; i < kSpins; ++i) {
            const bool let_writer_go = polite && writer_waits_.load(std::memory_order_relaxed);
            if (!let_writer_go && acquire_read(slot)) return;
            spin_once();
        }
        wait_while_held();
        if (!has_writer(word_.load(std::memory_order_relaxed))) writer_waits_.store(0, std::memory_order_relaxed);
    }
}

void RobustRwLock::write_slow(int slot) noexcept {
    for (;;) {
        writer_waits_.store(1, std::memory_order_relaxed);
        for (int i = 0; i < kSpins; ++i) {
            if (acquire_write(slot)) {
                writer_waits_.store(0, std::memory_order_relaxed);  // other writers set it again
                return;
            }
            spin_once();
        }
        wait_while_held();
    }
}

// The flag is set before the last look at the word, and unlock() changes the word before it looks at the flag:
// one of the two sees the other.
void RobustRwLock::wait_while_held() noexcept {
    waiting_.exchange(1, std::memory_order_seq_cst);
    if (word_.load(std::memory_order_seq_cst) == 0) return;
    futex_sleep(waiting_, 1);
}

void RobustRwLock::wake() noexcept {
    waiting_.exchange(0, std::memory_order_seq_cst);
    syscall(SYS_futex, &waiting_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void RobustRwLock::mark_global(bool global) noexcept { global_.store(global ? 1 : 0, std::memory_order_relaxed); }

bool RobustRwLock::held_by(int slot) const noexcept {
    const uint64_t word = word_.load(std::memory_order_acquire);
    return word >> kMaxSlots == static_cast<uint64_t>(slot + 1) || (word & reader_bit(slot)) != 0;
}

// The process may have died after it released the lock and before it dropped the entry; by now the memory may be
// something else.  What does not look like a lock is left alone.
bool RobustRwLock::plausible() const noexcept {
    for (const uint32_t word : unused_) {
        if (word != 0) return false;
    }
    const uint64_t word = word_.load(std::memory_order_acquire);
    const bool one_kind = !has_writer(word) || (word & (writer_word(0) - 1)) == 0;
    return one_kind && word >> kMaxSlots <= kMaxSlots && waiting_.load() <= 1 && writer_waits_.load() <= 1 &&
           global_.load() <= 1;
}

RobustRwLock::Held RobustRwLock::release_dead(int slot) noexcept {
    if (!plausible()) return Held::nothing;
    Held held = Held::nothing;
    uint64_t mine = 0;
    if (word_.load(std::memory_order_acquire) == writer_word(slot)) {
        held = Held::as_writer;
        mine = writer_word(slot);
        deaths_.fetch_add(1, std::memory_order_relaxed);  // before the release: the next holder must see it
    } else if (held_by(slot)) {
        held = Held::as_reader;
        mine = reader_bit(slot);
    }
    word_.fetch_and(~mine, std::memory_order_seq_cst);
    writer_waits_.store(0, std::memory_order_relaxed);  // it may have been the one; live writers set it again
    if (waiting_.load(std::memory_order_seq_cst)) wake();
    return held;
}

}  // namespace kahu::mem
