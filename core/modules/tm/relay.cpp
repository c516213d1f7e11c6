#include "core/modules/tm/relay.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/modules/tm/breadth.h"
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

// For failure and reply routes.  A route about one branch changes nothing for the others but flags and $avp.
bool keep_script_state(Transaction& t, const Current& c, const std::string& saved) {
    if (t.context != nullptr && (c.branch_failure || t.lumps_saved)) {
        t.lumps_saved = false;
        return replace_block(t.shared, saved);
    }
    if (!replace_block(t.context, saved)) return false;
    drop_block(t.shared);
    return true;
}

// What the script armed becomes the transaction's; and what it changed, if somebody may ask for it later.
bool hand_over(script::Run& run, const Current& c) {
    static std::string saved;
    saved.clear();
    const bool observed = observers_want(run);
    const bool keep = c.on_failure >= 0 || c.on_reply >= 0 || c.on_branch_failure >= 0 || observed;
    if (keep) run.save(saved);
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t == nullptr || t->answered) return false;
    t->failure_route = static_cast<int16_t>(c.on_failure);
    t->reply_route = static_cast<int16_t>(c.on_reply);
    t->branch_route = static_cast<int16_t>(c.on_branch);
    t->branch_failure_route = static_cast<int16_t>(c.on_branch_failure);
    t->observed = observed;
    if (t->branches != 0 && !c.branch_failure) ++t->round;
    if (keep && !keep_script_state(*t, c, saved)) return false;
    say_trying(*t, run.message());
    // A branch may end before the next one is added: that is not the end of all.
    if (!c.deciding) decide_here(*t);
    return true;
}

// RFC 3261 16.5: no target twice.  The same URI by way of another next hop is another target.
bool is_among(const std::vector<Target>& targets, const Target& one) {
    return std::any_of(targets.begin(), targets.end(), [&one](const Target& other) {
        return other.uri == one.uri && other.dst_uri == one.dst_uri && other.path == one.path &&
               other.socket == one.socket && other.connection == one.connection;
    });
}

std::vector<Target>& collect_targets(script::Run& run) {
    static std::vector<Target> targets;
    targets.clear();
    if (run.uri_is_new) targets.push_back(Target::of_main(run));
    for (const script::Branch& branch : run.branches.others())
        if (const Target target = Target::of(branch); !is_among(targets, target)) targets.push_back(target);
    return targets;
}

// All of them end with that status, and nothing is sent: the failure route may do something else.
void fail_all(Id id, const std::vector<Target>& targets, int status) {
    Locked shard(id);
    if (Transaction* t = shard.find(id.label)) (void)add_failed_branch(*t, targets.front().uri, status);
}

bool is_any_pending(const Transaction& t) {
    return std::any_of(t.branch, t.branch + t.branches, [&t](const Branch* b) { return is_pending(t, *b); });
}

// Nothing left the server: the script answers as if there had been no transaction, and a retransmission tries again.
// A request of our own keeps its failure as its outcome; what was sent before goes on.
void forget_transaction(const script::Run& run, Current& c) {
    {
        Locked shard(c.id);
        Transaction* t = shard.find(c.id.label);
        if (t != nullptr && t->local) {
            (void)add_failed_branch(*t, run.request_uri(), run.last_error);
            return;
        }
        if (t == nullptr || !is_any_pending(*t)) {
            if (t != nullptr) shard.remove(t);
            c.id = {};
            return;
        }
    }
    finish_launching(c.id);
}

int count_branches(Id id) {
    const Locked shard(id);
    const Transaction* const t = shard.find(id.label);
    return t == nullptr ? 0 : t->branches;
}

Relayed relay_ack(script::Run& run) {
    if (take_ack(run) == Ack::absorbed) return Relayed::absorbed;
    tell_acknowledged(run);
    return script::forward_stateless(run) ? Relayed::ok : Relayed::failed;
}

}  // namespace

void drop_replies(Transaction& t, const Current& c, int before) {
    const int64_t mode = settings.failure_reply_mode;
    const bool all = c.drop_replies != 0 ? c.drop_replies == 'a' : mode == 1 || mode == 3;
    const bool last = c.drop_replies != 0 ? c.drop_replies == 'l' : mode == 2;
    if (!all && !last) return;
    for (int i = 0; i < std::min<int>(before, t.branches); ++i)
        if (all || t.branch[i]->round + 1 == t.round) t.branch[i]->dropped = true;
}

Relayed relay_targets(script::Run& run, Current& c, const RelayTo& to) {
    const std::vector<Target>& targets = collect_targets(run);
    if (targets.empty() || !hand_over(run, c)) {
        run.last_error = 500;
        return Relayed::failed;
    }
    const int before = count_branches(c.id);
    int started = 0;
    if (const Shares shares = share_breadth(c.id, targets.size()); shares.enough) {
        for (const Target& target : targets) {
            const auto index = static_cast<size_t>(&target - targets.data());
            const Launch how{.id = c.id,
                             .to = to,
                             .on_reply = c.on_reply,
                             .on_branch = c.on_branch,
                             .on_branch_failure = c.on_branch_failure,
                             .breadth = shares.of(index)};
            if (launch(run, target, how) != Launched::failed) ++started;
        }
    } else {
        constexpr int kTooBroad = 440;
        fail_all(c.id, targets, kTooBroad);
        ++started;
    }
    run.branches.clear_others();
    if (started == 0) {
        if (!c.deciding) forget_transaction(run, c);
        return Relayed::failed;
    }
    c.relayed = true;
    run.uri_is_new = false;
    if (c.deciding && !c.branch_failure && before != 0) {
        Locked shard(c.id);
        if (Transaction* t = shard.find(c.id.label)) drop_replies(*t, c, before);
    }
    if (!c.deciding) finish_launching(c.id);
    return Relayed::ok;
}

Relayed relay(script::Run& run, const RelayTo& to) {
    const sip::Method method = run.message().method();
    if (method == sip::Method::ack) return relay_ack(run);
    if (method == sip::Method::cancel) {  // RFC 3261 16.10
        constexpr int kDropThem = 2;
        if (take_cancel(run)) return Relayed::ok;
        if (settings.unmatched_cancel == kDropThem) return Relayed::absorbed;
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
