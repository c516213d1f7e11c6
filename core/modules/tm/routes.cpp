#include "core/modules/tm/routes.h"

#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/elsewhere.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/table.h"
#include "core/script/onsend.h"
#include "core/script/program.h"
#include "mem/slot.h"

namespace kahu::tm {

void Revived::take(const Transaction& t) {
    request = text_of(t.request);
    context = text_of(t.context);
    shared = text_of(t.shared);
    from = t.from;
    program = t.program;
    on_failure = t.failure_route;
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

// Flags that an observer or a failure route changes are those of the transaction from here on: observers ask for them.
void keep_flags(Id id, script::Run& run) {
    std::string changed;
    run.save(changed);
    Locked shard(id);
    if (Transaction* t = shard.find(id.label)) (void)replace_block(t->shared, changed);
}

void tell_of_failure(Id id, script::Run& run, const Ending& how) {
    const uint32_t before = run.flags;
    const uint64_t before_x = run.xflags;
    tell_failed(run, how);
    if (run.flags != before || run.xflags != before_x) keep_flags(id, run);
}

// What is to run now, and why.
struct Failure {
    int route = -1;
    bool of_branch = false;  // of one, while others may go on; else of all
    Current facts;
    bool observed = false;
    std::string reply;  // for observers
    char to_tag[kTagBytes];
};

void take_failure(Transaction& t, Failure& out) {
    out.facts.cancel_seen = t.cancelled;
    const Branch* why = nullptr;
    if (Branch* failed = failed_branch(t)) {
        failed->failure_due = false;
        out.of_branch = true;
        out.route = failed->failure_route;
        why = failed;
    } else {
        out.route = t.failure_route;
        t.failure_route = -1;  // it has to arm itself again
        why = best_branch(t);
        out.observed = t.observed;
        if (out.observed && why != nullptr) out.reply = text_of(why->reply);
        (void)to_tag_of(t, out.to_tag);
    }
    if (why == nullptr) return;
    out.facts.failure_status = why->outcome;
    out.facts.failure_local = why->local_outcome;
    out.facts.branch = why->number;
}

void run_route_for(Id id, const Failure& failure, Revived& revived) {
    revived.run.uri_is_new = false;
    Current& c = current(revived.run);
    c.failure_status = failure.facts.failure_status;
    c.failure_local = failure.facts.failure_local;
    c.cancel_seen = failure.facts.cancel_seen;
    c.branch = failure.facts.branch;
    c.deciding = true;
    c.branch_failure = failure.of_branch;
    if (failure.of_branch) c.on_failure = revived.on_failure;  // still armed
    if (failure.observed)
        tell_of_failure(id, revived.run, {failure.facts.failure_status, failure.reply, {failure.to_tag, kTagBytes}});
    const uint32_t flags_before = revived.run.flags;
    const uint64_t xflags_before = revived.run.xflags;
    (void)revived.program->run_route(failure.route, revived.run);
    const bool changed = revived.run.flags != flags_before || revived.run.xflags != xflags_before;
    if (failure.observed && changed) keep_flags(id, revived.run);
}

// onsend_route over a request for another server of the same name (elsewhere.h), then it leaves or fails.
struct Unseen {
    int branch = -1;  // -1: there is none
    Hop to;
    std::string request, uri;
};

void take_unseen(const Transaction& t, Unseen& out) {
    const Branch* const b = unseen_branch(t);
    out.branch = b == nullptr ? -1 : b->number;
    if (b == nullptr) return;
    out.to = b->to;
    out.request = text_of(b->request);
    out.uri = text_of(b->uri);
}

void show(Id id, const Unseen& unseen, Revived& revived) {
    bool sends = !unseen.request.empty();  // there may have been no memory for it
    if (sends && revived.begin(id, kBranchRoute)) {
        revived.run.set_request_uri(unseen.uri);
        sends = script::run_onsend_route(revived.run, unseen.to, unseen.request);
    }
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t == nullptr) return;
    Branch& b = *t->branch[unseen.branch];
    if (!b.unseen || !is_pending(*t, b)) return;
    if (sends) send_request(*t, b, unseen.request);
    else on_transport_error(*t, b);
    if (b.outcome != 0) (void)go_elsewhere(*t, b, unseen.request);
}

// True: take another look, the next failure route may be due already.
bool run_once(Id id) {
    static Revived revived;
    static Unseen unseen;  // keeps its memory
    Failure failure;
    {
        Locked shard(id);
        Transaction* t = shard.find(id.label);
        if (t == nullptr || t->decider != mem::current_slot() + 1) return false;
        take_unseen(*t, unseen);
        if (unseen.branch < 0) take_failure(*t, failure);
        revived.take(*t);
    }
    if (unseen.branch >= 0) show(id, unseen, revived);
    if (failure.route >= 0 && revived.begin(id, failure.of_branch ? kEventRoute : kFailureRoute))
        run_route_for(id, failure, revived);
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t == nullptr) return false;
    t->decider = 0;
    const After after = conclude(*t);
    return !shard.settle(t) && after == After::run_failure_route;
}

}  // namespace

void run_failure_route(Id id) {
    // Each turn adds branches, of which there are kMaxBranches, or takes one that failed, or is the last.
    for (int turn = 0; turn <= 2 * kMaxBranches && run_once(id); ++turn) {
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
