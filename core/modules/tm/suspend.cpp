#include "core/modules/tm/suspend.h"

#include <string>

#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/relay.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/table.h"
#include "core/script/program.h"

namespace kahu::tm {
namespace {

Branch* waiting_branch(const Transaction& t) {
    for (int i = 0; i < t.branches; ++i)
        if (t.branch[i]->suspended && is_pending(t, *t.branch[i])) return t.branch[i];
    return nullptr;
}

// This process alone decides about it from now on.
bool take(Id id, Revived& revived) {
    if (id.shard >= kShards) return false;
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t == nullptr || t->answered || decided_by_another(*t)) return false;
    Branch* const waits = waiting_branch(*t);
    if (waits == nullptr) return false;
    decide_here(*t);
    end_suspended(*t, *waits);
    revived.take(*t);
    return true;
}

// The route found nothing to do: 500, and no failure route.
void disarm(Id id) {
    Locked shard(id);
    if (Transaction* t = shard.find(id.label)) t->failure_route = -1;
}

}  // namespace

Intake suspend(script::Run& run) {
    const Intake taken = take_request(run);
    if (taken != Intake::created && taken != Intake::existing) return taken;
    Current& c = current(run);
    std::string saved;
    run.save(saved);
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t != nullptr && t->branches != 0) ++t->round;
    if (t == nullptr || t->answered || !replace_block(t->context, saved) ||
        add_suspended_branch(*t, run.request_uri()) == nullptr) {
        run.last_error = 500;
        return Intake::failed;
    }
    drop_block(t->shared);
    t->failure_route = static_cast<int16_t>(c.on_failure);
    t->reply_route = static_cast<int16_t>(c.on_reply);
    t->branch_route = static_cast<int16_t>(c.on_branch);
    t->branch_failure_route = static_cast<int16_t>(c.on_branch_failure);
    t->observed = observers_want(run);
    c.relayed = true;
    say_trying(*t, run.message());
    if (c.deciding && !c.branch_failure) drop_replies(*t, c, t->branches - 1);
    (void)shard.settle(t);
    return taken;
}

bool resume(Id id, int route) {
    static Revived revived;
    static bool busy = false;  // a continued route continues another one: not from here
    if (busy || !take(id, revived)) return false;
    busy = true;
    if (revived.begin(id, kFailureRoute)) {
        Current& c = current(revived.run);
        c.deciding = true;
        c.on_failure = revived.on_failure;
        (void)revived.program->run_route(route, revived.run);
        if (!c.relayed) disarm(id);
    }
    busy = false;
    finish_launching(id);
    return true;
}

}  // namespace kahu::tm
