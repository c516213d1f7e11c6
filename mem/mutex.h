// mem/mutex.h -- a mutex in the segment that survives its holder's death and tells the next one.
//
// LIVES  All zero = unlocked, nothing to destroy.
// LOCKS  Not recursive.  Same journal and limits as mem/rwlock.h.
// FAILS  lock() says `after_death` from a holder's death until mark_repaired(): the data may be half written.
#pragma once
#include "mem/rwlock.h"

namespace kahu::mem {

enum class Acquired : uint8_t { clean, after_death };

class RobustMutex {
  public:
    [[nodiscard]] Acquired lock() noexcept {
        lock_.write_lock();
        return state();
    }
    // False: somebody else holds it.
    [[nodiscard]] bool try_lock(Acquired& how) noexcept {
        if (!lock_.try_write_lock()) return false;
        how = state();
        return true;
    }
    void unlock() noexcept { lock_.unlock(); }
    void mark_repaired() noexcept { lock_.mark_repaired(); }  // by the holder, once the data is sane again
    uint32_t deaths() const noexcept { return lock_.deaths(); }
    bool held_by(int slot) const noexcept { return lock_.held_by(slot); }

  private:
    Acquired state() const noexcept { return lock_.poisoned() ? Acquired::after_death : Acquired::clean; }
    RobustRwLock lock_;
};

}  // namespace kahu::mem
