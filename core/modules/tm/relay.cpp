#include "core/modules/tm/relay.h"

#include <string>
#include <vector>

#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/intake.h"
#include "core/modules/tm/launch.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/table.h"
#include "core/script/outgoing.h"

namespace kahu::tm {
namespace {

// What the script armed becomes the transaction's; and what it changed, if somebody may ask for it later.
bool hand_over(script::Run& run, const Current& c) {
    static std::string saved;
    saved.clear();
    const bool observed = observers_want(run);
    const bool keep = c.on_failure >= 0 || c.on_reply >= 0 || observed;
    if (keep) run.save(saved);
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t == nullptr || t->answered) return false;
    t->failure_route = static_cast<int16_t>(c.on_failure);
    t->reply_route = static_cast<int16_t>(c.on_reply);
    t->branch_route = static_cast<int16_t>(c.on_branch);
    t->observed = observed;
    if (t->branches != 0) ++t->round;
    if (keep) {
        if (!replace_block(t->context, saved)) return false;
        drop_block(t->shared);
    }
    const bool say_trying = t->is_invite() && !t->local && t->status == 0 && t->goes(kSayTrying);
    if (say_trying) (void)answer_locally(*t, run.message(), {.status = 100, .reason = settings.auto_inv_100_reason});
    // A branch may end before the next one is added: that is not the end of all.
    if (run.kind() != kFailureRoute) decide_here(*t);
    return true;
}

std::vector<Target>& collect_targets(script::Run& run, const Current& c) {
    static std::vector<Target> targets;
    targets.clear();
    const bool in_failure = run.kind() == kFailureRoute;
    if (!in_failure || run.branches.others().empty() || !c.relayed) targets.push_back(Target::of_main(run));
    for (const script::Branch& branch : run.branches.others()) targets.push_back(Target::of(branch));
    return targets;
}

// Nothing left the server: the script answers as if there had been no transaction, and a retransmission tries again.
// A request of our own keeps its failure as its outcome.
void forget_transaction(const script::Run& run, Current& c) {
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t != nullptr && t->local) {
        (void)add_failed_branch(*t, run.request_uri(), run.last_error);
        return;
    }
    if (t != nullptr) shard.remove(t);
    c.id = {};
}

Relayed relay_ack(script::Run& run) {
    if (take_ack(run) == Ack::absorbed) return Relayed::absorbed;
    return script::forward_stateless(run) ? Relayed::ok : Relayed::failed;
}

}  // namespace

Relayed relay_targets(script::Run& run, Current& c, const RelayTo& to) {
    if (!hand_over(run, c)) {
        run.last_error = 500;
        return Relayed::failed;
    }
    int started = 0;
    for (const Target& target : collect_targets(run, c)) {
        const Launch how{.id = c.id, .to = to, .on_reply = c.on_reply, .on_branch = c.on_branch};
        const Launched launched = launch(run, target, how);
        if (launched != Launched::failed) ++started;
    }
    run.branches.clear_others();
    if (started == 0) {
        if (run.kind() != kFailureRoute) forget_transaction(run, c);
        return Relayed::failed;
    }
    c.relayed = true;
    if (run.kind() != kFailureRoute) finish_launching(c.id);
    return Relayed::ok;
}

Relayed relay(script::Run& run, const RelayTo& to) {
    const sip::Method method = run.message().method();
    if (method == sip::Method::ack) return relay_ack(run);
    if (method == sip::Method::cancel) {  // RFC 3261 16.10
        if (take_cancel(run)) return Relayed::ok;
        return script::forward_stateless(run) ? Relayed::ok : Relayed::failed;
    }
    switch (take_request(run)) {
    case Intake::again:
    case Intake::refused: return Relayed::absorbed;
    case Intake::failed: return Relayed::failed;
    case Intake::created:
    case Intake::existing: break;
    }
    return relay_targets(run, current(run), to);
}

}  // namespace kahu::tm
