// core/modules/usrloc/sweep.h -- periodic work on all contacts: expiry, lost connections, writing to the database.
//
// WHY    Done by the timer process in slices, one second's share at a time, so that no lock is held long and no second
//        is heavier than another.
// LOCKS  One shard at a time, for at most kBucketsAtOnce buckets; none while the database is written.
// FAILS  What could not be written stays marked as changed and is tried again in the next round.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/base/result.h"

namespace kahu::usrloc {

// Each second: that part of the buckets which makes one round per timer_interval.
void sweep_slice();
// All at once: ul.flush, and when the timer process ends.
Status sweep_all();

}  // namespace kahu::usrloc
