// core/modules/tm/intake.h -- requests on their way to a transaction: new ones, retransmissions, ACK, CANCEL.
//
// LOCKS  Each call takes the lock of one shard and lets go of it.
// FAILS  `failed` with run.last_error set: out of memory (500), a malformed request (400).
#pragma once
#include "core/modules/tm/current.h"
#include "core/modules/tm/match.h"

namespace kahu::tm {

enum class Intake : uint8_t {
    created,   // current(run).id names it
    existing,  // there was one for this run already
    again,     // a retransmission: absorbed, the script has nothing more to do
    refused,   // answered: 482 (RFC 5393), or 503 while the server drains
    failed,
};
Intake take_request(script::Run& run);

enum class Ack : uint8_t { absorbed, answered_here, unknown };
// answered_here: it acknowledges a 2xx that a transaction of ours passed on or sent.
Ack take_ack(script::Run& run);

// A CANCEL: answers 200, ends the INVITE's branches.  False: there is nothing to cancel.
bool take_cancel(script::Run& run);

// t_check_trans: 1 a transaction is there (CANCEL: its INVITE; ACK: its 2xx), 0 absorbed, -1 none.
int check_transaction(script::Run& run);
// Whether the request is a copy of one being routed by another process at this moment.  If not, this process is seen to
// route it until request_done(): of several that ask at the same time, one is told no.
bool being_routed(script::Run& run);
// t_lookup_request: the transaction of which the request is a copy becomes that of the run.
bool look_up_request(script::Run& run);

// The script's part of the request is over.
void request_done(script::Run& run);

}  // namespace kahu::tm
