// core/modules/usrloc/sweep.h -- periodic work on all contacts: expiry, lost connections, writing to the database.
//
// WHY    Done by the timer process in slices of a tick, each of bounded time, so that no lock is held long and the
//        timers of transactions, which run in the same process, never wait: a million contacts that end or must be
//        written in one second take more ticks, and the round longer than timer_interval.
// LOCKS  One shard at a time, for at most kBucketsAtOnce buckets; none while the database is written.
// FAILS  What could not be written stays marked as changed and is tried again in the next round.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/base/result.h"

namespace kahu::usrloc {

inline constexpr int64_t kSweepTickMs = 100, kMostSweepMs = 40;
// Each tick: that part of the buckets which makes one round per timer_interval, or as much as can be done in the time.
void sweep_slice();
// All at once: ul.flush, and when the timer process ends.
Status sweep_all();

}  // namespace kahu::usrloc
