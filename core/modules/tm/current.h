// core/modules/tm/current.h -- which transaction the running route is about, and what t_on_*() armed for it.
//
// WHY    A script function is given a Run; the transaction belongs to it without core/script knowing of any.
// LIVES  Process-private, one entry per Run object; begins anew with every message of that Run.
#pragma once
#include "core/modules/tm/transaction.h"
#include "core/script/run.h"

namespace kahu::tm {

struct Current {
    const script::Run* run = nullptr;
    uint64_t number = 0;
    Id id;  // none: no transaction yet
    int on_failure = -1, on_reply = -1, on_branch = -1, on_branch_failure = -1;
    // For the transaction when it is made; 0: as the parameters say.
    int64_t fr_ms = 0, fr_inv_ms = 0, max_invite_ms = 0, max_other_ms = 0, t1_ms = 0, t2_ms = 0;
    uint8_t ways_on = 0, ways_off = 0;  // Way
    int failure_status = 0;             // in a failure route: of the reply it runs for
    bool failure_local = false;         // ... which was made here: timeout, unreachable
    bool cancel_seen = false;           // a CANCEL came meanwhile
    bool relayed = false, answered = false;
    bool deciding = false;        // this process decides what becomes of it until the route ends
    bool branch_failure = false;  // in event_route[tm:branch-failure:...]
    char drop_replies = 0;        // t_drop_replies(): 'a', 'l', 'n'; 0: as failure_reply_mode says
    bool foreign = false;         // found, not made: t_lookup_request()
    bool held = false;            // a reply: t_continue() goes on with it (held_reply.h)
    int branch = -1;              // in a branch or reply route: its number
};
Current& current(const script::Run& run);

}  // namespace kahu::tm
