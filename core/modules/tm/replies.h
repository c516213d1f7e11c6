// core/modules/tm/replies.h -- replies from the next hops: found by their Via, shown to reply routes, given to
// client.h.
//
// LOCKS  Takes the lock of one shard; none while a reply route runs.
// FAILS  A reply that carries a branch of ours without a transaction, or with a wrong proof, ends here (RFC 6026 4).
#pragma once
#include "core/net/destination.h"
#include "core/script/run.h"

namespace kahu::tm {

// Whether a reply answers a request of ours that is still here.
bool belongs_to_a_transaction(const sip::Message& reply);
// False: not from a request of ours; forwarded statelessly.
bool take_reply(script::Run& run);
// What becomes of a reply behind its reply route.  REQUIRES: it is from a request of ours, and run is in a reply route.
void pass_on(script::Run& run);
// A message that will not leave after all (core/net/destination.h).
void on_send_failure(uint64_t ticket, net::SendFailure why);

}  // namespace kahu::tm
