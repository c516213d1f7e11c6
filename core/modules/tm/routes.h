// core/modules/tm/routes.h -- running failure, reply and branch routes of the script for a transaction.
//
// WHY    A route may run in another process than the one that took the request: message and script state are made
//        again from the transaction, in private memory, and no lock is held meanwhile.
// LOCKS  The caller holds none.
#pragma once
#include <string>

#include "core/modules/tm/current.h"
#include "core/modules/tm/transaction.h"
#include "core/script/run.h"
#include "core/sip/message.h"

namespace kahu::tm {

// A request as the script left it, in private memory.
struct Revived {
    std::string request, context, shared;
    sip::Message message;
    net::Inbound from;
    script::Run run;
    const script::Program* program = nullptr;
    int on_failure = -1, on_reply = -1, on_branch = -1;

    // Copies what is needed.  REQUIRES: the lock of its shard.
    void take(const Transaction& t);
    // After unlocking.  False: the request cannot be read any more, which would be our own mistake.
    bool begin(Id id, RouteMask kind);
};

// After conclude() said so; ends when there is nothing more to decide.
void run_failure_route(Id id);
// conclude() and settle(), then the failure route if one is to run: the end of every outer event.
void finish(Id id);
// The same for who called decide_here() because branches were still to be added.
void finish_launching(Id id);

}  // namespace kahu::tm
