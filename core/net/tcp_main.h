// core/net/tcp_main.h -- accepts connections, applies the limits, and keeps a duplicate of every descriptor.
//
// WHY    The duplicate is why a worker's death closes nothing: its successor is sent a copy.  Being the only process
//        that makes and frees rows of the connection table, it needs no lock for that.
// LIVES  The duplicates and the counts per source address are private; a successor of tcp main gets the duplicates
//        back from the workers and counts again.
// FAILS  At a limit a new connection is accepted and closed (counted, logged once per second at most).  Out of
//        descriptors, accepting rests for 100 ms.
#pragma once
#include "core/base/address.h"

namespace kahu::net {
int run_tcp_main(int slot);

// What may refuse a connection beside the limits of core/net/settings.h: nullptr lets it in, else the name of the
// limit, for the log.  Set once, before the first fork.
void set_admission(const char* (*check)(Transport));
}  // namespace kahu::net
