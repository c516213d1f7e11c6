// core/modules/htable/locks.h -- sht_lock(): one process at a time changes items, for as long as its script wants.
//
// WHY    "$sht(a=>x) = $sht(a=>x) + $var(n)" is several operations; between them nobody else may change x.
// LIVES  One lock for each shard of a table, in the segment, beside the one that each operation takes by itself. What
//        this process holds is private to it.
// LOCKS  Re-entrant. Taken before a shard's own lock, never while one is held. Scripts choose the order of theirs, so
//        whoever waits gives up after kLongestWait.
// DEATH  The holder's recovery releases it; items are whole at any time, so there is nothing to repair.
// FAILS  take() returns false: not got in time, or too many held. Nothing is held then that was not before.
#pragma once
#include "core/base/clock.h"
#include "mem/mutex.h"

namespace kahu::htable {

inline constexpr clock::Millis kLongestWait = 2000;
inline constexpr unsigned kMostHeld = 8;  // different ones, of a process

// The configuration has sht_lock() somewhere: from now on changes wait for their turn, and what a script did not
// release is released when it ends. At start, before the fork.
void use_script_locks();

bool take(mem::RobustMutex& lock);
bool release(mem::RobustMutex& lock);  // false: this process does not hold it
void release_all();

// A change by one operation. It is made even if nobody gave way in time.
class Turn {
  public:
    explicit Turn(mem::RobustMutex& lock);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    mem::RobustMutex* taken_ = nullptr;
};

}  // namespace kahu::htable
