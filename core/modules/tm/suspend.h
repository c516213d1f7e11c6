// core/modules/tm/suspend.h -- a request that waits for something outside SIP: t_suspend(), t_continue().
//
// WHY    The script asks somebody (a push server, a database over HTTP) and goes on when the answer is there, perhaps
//        in another process and for another message; no worker waits meanwhile.
// LIVES  As a branch that was never sent (Branch::suspended).  It ends with 408 after fr_timer, with 487 when a CANCEL
//        comes, and as if it had not been when it is continued.
// LOCKS  The caller holds none.
//        A route that neither relays nor answers nor suspends again: 500, as Kamailio says.
// DEATH  A process that dies while it runs the route of a continued request: nothing more is tried, the failure route
//        runs or 500 is answered.
#pragma once
#include <string_view>

#include "core/modules/tm/intake.h"

namespace kahu::tm {

// Makes the transaction if there is none.  `created` and `existing` say that the request waits now.
Intake suspend(script::Run& run);
// Runs that route for it, as if it were a failure route.  False: it does not wait, or somebody else continues it.
bool resume(Id id, int route);

}  // namespace kahu::tm
