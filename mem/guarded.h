// mem/guarded.h -- data in shared memory, reachable only while its lock is held.
//
// WHY    A worker may be killed while holding the lock.  The next owner learns so from the mutex and calls
//        T::repair() before it sees T.
// LIVES  Constructed in place, once, in the segment; never destructed.
// LOCKS  Held for as long as the Access lives: table.lock()->insert(id);  holds to the semicolon.
// FAILS  If repair() says no, this process aborts and the supervisor restarts all on a fresh segment.
#pragma once
#include <type_traits>
#include <utility>

#include "mem/contract.h"
#include "mem/mutex.h"

namespace kahu::mem {

template <class T>
class Guarded {
    static_assert(std::is_standard_layout_v<T>, "shared structs have no virtuals and no std containers");
    static_assert(std::is_trivially_destructible_v<T>, "nobody runs destructors in shared memory");

  public:
    class Access {
      public:
        explicit Access(Guarded& guarded) noexcept : guarded_(guarded) { guarded_.acquire(); }
        ~Access() { guarded_.mutex_.unlock(); }
        Access(const Access&) = delete;
        Access& operator=(const Access&) = delete;
        T* operator->() noexcept { return &guarded_.value_; }
        T& operator*() noexcept { return guarded_.value_; }

      private:
        Guarded& guarded_;
    };

    template <class... Args>
    explicit Guarded(Args&&... args) noexcept : value_{std::forward<Args>(args)...} {}

    [[nodiscard]] Access lock() noexcept { return Access(*this); }
    uint32_t deaths() const noexcept { return mutex_.deaths(); }

  private:
    void acquire() noexcept {
        if (mutex_.lock() == Acquired::clean) return;
        REQUIRE(value_.repair());
        mutex_.mark_repaired();
    }
    RobustMutex mutex_;
    T value_;
};

}  // namespace kahu::mem
