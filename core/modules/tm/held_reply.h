// core/modules/tm/held_reply.h -- a reply that waits for something outside SIP: t_suspend() in a reply route.
//
// WHY    As for requests (suspend.h): the script asks somebody about the answer, and no worker waits meanwhile.
// LIVES  In its branch (Branch::held), one of each: a final one takes the place of a provisional one, and what the far
//        end repeats meanwhile is absorbed.  The branch's timers run on, fr_inv_timer for an INVITE; whatever ends
//        the branch frees it.
// LOCKS  The caller holds none.
// DEATH  A process that dies while it runs the route of a continued reply: the far end's retransmission goes through
//        the reply route again; over streams, and of what is not repeated, the branch's timer decides.
#pragma once
#include "core/modules/tm/transaction.h"
#include "core/script/run.h"

namespace kahu::tm {

// In a reply route.  False: the branch has an outcome already, or there is no memory for it.
bool hold_reply(script::Run& run);
// Under the lock of its shard: whether the branch waits with an answer that this one adds nothing to.
bool waits_with_more(const Branch& b, int status);
// Runs that route as a reply route, then the reply goes on.  False: none of its branches holds one.
bool resume_reply(Id id, int route);

}  // namespace kahu::tm
