// mem/failure.h -- for tests: let the n-th allocation fail; die at the n-th step of a lock, heap or queue
// operation, or of one on a table's row.
//
// WHY    Code for failures that nobody can cause is code that nobody has tested.
// LIVES  Process-private; inherited by fork().  Unarmed it costs one predictable branch per operation.
#pragma once
#include <csignal>
#include <cstdint>

namespace kahu::mem {

// Lets allocation number `nth` from now (0 = the next one) return nullptr; once, or all from that one on, as if the
// segment were full.
class FailAllocation {
  public:
    explicit FailAllocation(long nth, bool for_good = false) noexcept;
    ~FailAllocation();
    FailAllocation(const FailAllocation&) = delete;
    FailAllocation& operator=(const FailAllocation&) = delete;
    bool fired() const noexcept;
    long seen() const noexcept;  // allocations since, as long as it has not fired

  private:
    long first_;
};

// Every operation has several steps: before, between and after its stores.  `row`: of what changes a row of a shared
// table in several stores without a lock (the connection table's rows going from process to process).
enum class Point : uint8_t { lock, alloc, queue, row, count_ };

// Kills this process at step `nth` from now (0 = the next one) of that kind; -1 disarms.
void kill_at(Point point, long nth, int signal = SIGKILL) noexcept;
// Steps of that kind taken since kill_at() was last called for it with any argument but -1.
long steps_taken(Point point) noexcept;

// While a kind is armed `see` hears of each of its steps before it is taken; nullptr: nobody.  It may allocate, but not
// from the segment.
void watch_steps(void (*see)(Point point, long step)) noexcept;

// What a stray write does: overwrites the bookkeeping of a span of that slot.  False: it has none.
bool damage_heap_of(int slot) noexcept;

namespace detail {
inline constinit bool injecting = false;
void injection_step(Point point) noexcept;
bool allocation_must_fail() noexcept;
}  // namespace detail

inline void injection_point(Point point) noexcept {
    if (__builtin_expect(detail::injecting, 0)) detail::injection_step(point);
}

}  // namespace kahu::mem
