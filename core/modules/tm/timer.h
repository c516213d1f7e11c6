// core/modules/tm/timer.h -- what is due: retransmissions, timeouts, ends.
//
// WHY    One process looks at the earliest deadline of each shard every kTickMs and walks only the shards where
//        something is due; the message path never touches a timer structure.
// LOCKS  One shard at a time; failure routes run after it was let go.
#pragma once
#include "core/base/clock.h"

namespace kahu::tm {

inline constexpr clock::Millis kTickMs = 50;
void run_timers(clock::Millis now);
// How many transactions wait for an answer: what core.drain waits for.
uint64_t count_unanswered();

}  // namespace kahu::tm
