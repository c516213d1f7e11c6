// core/modules/tm/conclude.h -- when all branches have ended: which answer goes upstream (RFC 3261 16.7).
//
// WHY    Whoever changed something about a transaction calls this last.  A failure route is part of the decision, but a
//        route cannot run under the shard's lock: conclude() then marks this process as the decider and leaves
//        the running to the caller.
// LOCKS  REQUIREs the lock of the transaction's shard.
// DEATH  A decider that dies is noticed by the next look (the timer's at the latest): somebody else decides.
#pragma once
#include "core/modules/tm/transaction.h"

namespace kahu::tm {

enum class After : uint8_t {
    nothing,
    run_failure_route,  // or onsend_route for another server of a name: unlock, then routes.h: run_failure_route(id)
};
// This process alone decides from now on, until it makes `decider` 0.
void decide_here(Transaction& t);
After conclude(Transaction& t);
// A local request that is still to be sent, and that nobody sends: this process alone does, from now on.
bool take_unsent(Transaction& t);
// One that failed while others may go on, and whose own route has not run yet; nullptr: none.
Branch* failed_branch(const Transaction& t);
// One that onsend_route is still to see before it is sent; nullptr: none.
Branch* unseen_branch(const Transaction& t);
// Some process that lives decides about it.
bool decided_by_another(Transaction& t);
// The branch whose reply is the best so far; nullptr: none has ended.
const Branch* best_branch(const Transaction& t);

}  // namespace kahu::tm
