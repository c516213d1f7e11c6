#include "core/modules/tm/routes.h"

#include "core/modules/tm/conclude.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/table.h"
#include "core/script/program.h"
#include "mem/slot.h"

namespace kahu::tm {

void Revived::take(const Transaction& t) {
    request = text_of(t.request);
    context = text_of(t.context);
    shared = text_of(t.shared);
    from = t.from;
    program = t.program;
    on_reply = t.reply_route;
    on_branch = t.branch_route;
}

bool Revived::begin(Id id, RouteMask kind) {
    sip::Bad bad;
    if (!message.parse(request, bad)) return false;
    run.begin(message, from, kind);
    run.program = program;
    if (!context.empty()) run.restore(context);
    if (!shared.empty()) run.restore_shared(shared);
    Current& c = current(run);
    c.id = id;
    c.on_reply = on_reply;
    c.on_branch = on_branch;
    return true;
}

namespace {

// What the route may ask about why it runs.
void describe_failure(const Transaction& t, Current& c) {
    const Branch* best = best_branch(t);
    c.cancel_seen = t.cancelled;
    if (best == nullptr) return;
    c.failure_status = best->outcome;
    c.failure_local = best->local_outcome;
    c.branch = best->number;
}

// Flags that an observer changes are those of the transaction from here on.
void tell_of_failure(Id id, script::Run& run, const Ending& how) {
    const uint32_t before = run.flags;
    tell_failed(run, how);
    if (run.flags == before) return;
    std::string changed;
    run.save(changed);
    Locked shard(id);
    if (Transaction* t = shard.find(id.label)) (void)replace_block(t->shared, changed);
}

// True: take another look, the next failure route may be due already.
bool run_once(Id id) {
    static Revived revived;
    int route = -1;
    Current facts;
    bool observed = false;
    std::string reply;
    char to_tag[kTagBytes];
    {
        Locked shard(id);
        Transaction* t = shard.find(id.label);
        if (t == nullptr || t->decider != mem::current_slot() + 1) return false;
        route = t->failure_route;
        t->failure_route = -1;  // it has to arm itself again
        revived.take(*t);
        describe_failure(*t, facts);
        observed = t->observed;
        if (const Branch* best = best_branch(*t); observed && best != nullptr) reply = text_of(best->reply);
        (void)to_tag_of(*t, to_tag);
    }
    if (route >= 0 && revived.begin(id, kFailureRoute)) {
        Current& c = current(revived.run);
        c.failure_status = facts.failure_status;
        c.failure_local = facts.failure_local;
        c.cancel_seen = facts.cancel_seen;
        c.branch = facts.branch;
        if (observed) tell_of_failure(id, revived.run, {facts.failure_status, reply, {to_tag, kTagBytes}});
        (void)revived.program->run_route(route, revived.run);
    }
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t == nullptr) return false;
    t->decider = 0;
    const After after = conclude(*t);
    return !shard.settle(t) && after == After::run_failure_route;
}

}  // namespace

void run_failure_route(Id id) {
    // Each turn adds branches, of which there are kMaxBranches, or is the last.
    for (int turn = 0; turn <= kMaxBranches && run_once(id); ++turn) {
    }
}

namespace {
void finish(Id id, bool decided_here) {
    After after = After::nothing;
    {
        Locked shard(id);
        Transaction* t = shard.find(id.label);
        if (t == nullptr) return;
        if (decided_here) t->decider = 0;
        after = conclude(*t);
        if (shard.settle(t)) return;
    }
    if (after == After::run_failure_route) run_failure_route(id);
}
}  // namespace

void finish(Id id) { finish(id, false); }
void finish_launching(Id id) { finish(id, true); }

}  // namespace kahu::tm
