// mem/rwlock.h -- a reader-writer lock in the segment whose holders are known, so that the supervisor can
// release what a killed process held.
//
// WHY    glibc's process-shared rwlock deadlocks everyone when a holder dies.  Here the lock word names the
//        holders, and the slot's journal names the locks a process may hold; see mem/recover.h.
// LIVES  56 bytes, all zero = unlocked, nothing to destroy: it fits into pthread_rwlock_t's storage.
// LOCKS  Recursion of readers is fine.  Readers wait a bounded time for a waiting writer, so that a stream
//        of readers does not starve it.  No order between locks is checked.
// FAILS  REQUIREs: an attached slot; not more than kMaxHeldLocks locks held at once; unlock only by the
//        holder; no write lock by a process that holds the lock already, no read lock by its writer
//        (waiting for oneself would last for ever).
#pragma once
#include <atomic>
#include <cstdint>

namespace kahu::mem {

inline constexpr int kMaxHeldLocks = 24;

class RobustRwLock {
  public:
    RobustRwLock() = default;
    RobustRwLock(const RobustRwLock&) = delete;
    RobustRwLock& operator=(const RobustRwLock&) = delete;

    // The lock in raw, zeroed, 8-byte aligned memory.
    static RobustRwLock& at(void* memory) noexcept { return *static_cast<RobustRwLock*>(memory); }

    void read_lock() noexcept;
    void write_lock() noexcept;
    bool try_read_lock() noexcept;
    bool try_write_lock() noexcept;
    void unlock() noexcept;  // whichever of the two this process holds

    // Writers that died holding it, ever; and whether one did since the last mark_repaired().
    uint32_t deaths() const noexcept { return deaths_.load(std::memory_order_relaxed); }
    bool poisoned() const noexcept { return deaths() != repaired_.load(std::memory_order_relaxed); }
    void mark_repaired() noexcept { repaired_.store(deaths(), std::memory_order_relaxed); }

    // For data that all processes use and nobody can repair: a writer's death is the end of the segment
    // (RecoveryReport::global_writers_released).  Said by whoever makes the lock.
    void mark_global(bool global = true) noexcept;
    bool global() const noexcept { return global_.load(std::memory_order_relaxed) != 0; }

    bool held_by(int slot) const noexcept;  // as reader or writer

    // For recover_slot() only: lets go of whatever a dead slot held.
    enum class Held : uint8_t { nothing, as_reader, as_writer };
    Held release_dead(int slot) noexcept;

  private:
    bool acquire_read(int slot) noexcept;
    bool acquire_write(int slot) noexcept;
    void read_slow(int slot) noexcept;
    void write_slow(int slot) noexcept;
    void wait_while_held() noexcept;
    void wake() noexcept;
    bool plausible() const noexcept;

    std::atomic<uint64_t> word_{0};          // bits 0..55: reader slots, 56..63: writer slot + 1
    std::atomic<uint32_t> waiting_{0};       // futex word: 1 = somebody may be asleep
    std::atomic<uint32_t> writer_waits_{0};  // new readers let a writer go first, for a bounded time
    std::atomic<uint32_t> deaths_{0};
    std::atomic<uint32_t> repaired_{0};
    std::atomic<uint32_t> global_{0};
    uint32_t unused_[7] = {};
};
static_assert(sizeof(RobustRwLock) == 56, "fits into pthread_rwlock_t");

class ReadLock {  // held for as long as this lives
  public:
    explicit ReadLock(RobustRwLock& lock) noexcept : lock_(lock) { lock_.read_lock(); }
    ~ReadLock() { lock_.unlock(); }
    ReadLock(const ReadLock&) = delete;
    ReadLock& operator=(const ReadLock&) = delete;

  private:
    RobustRwLock& lock_;
};

class WriteLock {
  public:
    explicit WriteLock(RobustRwLock& lock) noexcept : lock_(lock) { lock_.write_lock(); }
    ~WriteLock() { lock_.unlock(); }
    WriteLock(const WriteLock&) = delete;
    WriteLock& operator=(const WriteLock&) = delete;

  private:
    RobustRwLock& lock_;
};

}  // namespace kahu::mem
