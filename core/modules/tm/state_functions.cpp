// What a script arms, asks and sets: routes to run, the state of its transaction, timers.
#include <algorithm>
#include <string>

#include "core/base/log.h"
#include "core/modules/tm/by_call.h"
#include "core/modules/tm/contacts.h"
#include "core/modules/tm/function_help.h"
#include "core/modules/tm/settings.h"
#include "core/script/branch_text.h"
#include "core/script/function.h"
#include "core/script/program.h"
#include "core/script/regex.h"

namespace kahu::tm {
namespace {

using script::Args;
using script::Run;

// --- arming routes -------------------------------------------------------------------------------------
struct RouteName {
    std::string name;
    mutable int number = -2;  // -2: not looked up yet; the program is not whole while it is compiled
};

Status prepare_route(Args& args) {
    const script::Value* const name = args.constant(0);
    if (name != nullptr && name->is_text()) args.keep(RouteName{std::string(name->text)});
    return {};
}

int route_number(Run& run, const Args& args, config::RouteKind kind) {
    const RouteName* const known = args.prepared<RouteName>();
    if (known != nullptr && known->number != -2) return known->number;
    const std::string_view name = known != nullptr ? std::string_view(known->name) : args.text(run, 0);
    const int number = name == "0" || name.empty() ? -1 : run.program->find_route(kind, name);
    if (number < 0 && name != "0" && !name.empty())
        LOG(error, "tm.no_such_route", kv("route", name), kv("hint", "t_on_...() names a route that is not there"));
    if (known != nullptr) known->number = number;
    return number;
}

int fn_on_failure(Run& run, const Args& args) {
    current(run).on_failure = route_number(run, args, config::RouteKind::failure);
    return kTrue;
}
int fn_on_branch(Run& run, const Args& args) {
    current(run).on_branch = route_number(run, args, config::RouteKind::branch);
    return kTrue;
}
int fn_on_reply(Run& run, const Args& args) {
    current(run).on_reply = route_number(run, args, config::RouteKind::reply);
    return kTrue;
}

// "NAME" stands for event_route[tm:branch-failure:NAME].
int fn_on_branch_failure(Run& run, const Args& args) {
    static std::string name;
    const std::string_view given = args.text(run, 0);
    int route = -1;
    if (!given.empty() && given != "0") {
        name.assign("tm:branch-failure:").append(given);
        route = run.program->find_route(config::RouteKind::event, name);
        if (route < 0) LOG(error, "tm.no_such_route", kv("route", name), kv("hint", "add event_route[" + name + "]"));
    }
    current(run).on_branch_failure = route;
    return kTrue;
}

int fn_is_set(Run& run, const Args& args) {
    const Current& c = current(run);
    const std::string_view what = args.text(run, 0);
    if (what == "branch_route") return truth(c.on_branch >= 0);
    if (what == "failure_route") return truth(c.on_failure >= 0);
    if (what == "onreply_route" || what == "reply_route") return truth(c.on_reply >= 0);
    return kFalse;
}
Status prepare_is_set(Args& args) {
    const script::Value* const what = args.constant(0);
    if (what == nullptr) return {};
    for (const std::string_view known : {"branch_route", "failure_route", "onreply_route", "reply_route"})
        if (what->text == known) return {};
    return Error{Errc::invalid, "unknown kind of route", "branch_route, failure_route or onreply_route"};
}

// --- questions -----------------------------------------------------------------------------------------
int fn_is_canceled(Run& run, const Args&) {
    return ask(run, [](const Transaction& t) { return t.cancelled; });
}
bool timed_out(const Branch& b) { return b.outcome == 408 && b.local_outcome; }
int fn_any_timeout(Run& run, const Args&) {
    return ask(run, [](const Transaction& t) {
        for (int i = 0; i < t.branches; ++i)
            if (timed_out(*t.branch[i])) return true;
        return false;
    });
}
int fn_any_replied(Run& run, const Args&) {
    return ask(run, [](const Transaction& t) {
        for (int i = 0; i < t.branches; ++i)
            if (t.branch[i]->status != 0) return true;
        return false;
    });
}
int fn_branch_timeout(Run& run, const Args&) {
    const Current& c = current(run);
    return truth(c.failure_status == 408 && c.failure_local);
}
int fn_branch_replied(Run& run, const Args&) {
    const int branch = current(run).branch;
    return ask(run, [branch](const Transaction& t) {
        return branch >= 0 && branch < t.branches && t.branch[branch]->status != 0;
    });
}
int fn_is_expired(Run& run, const Args&) {
    return ask(run, [](const Transaction& t) { return t.max_age_at == 0 && !t.answered; });
}
int fn_grep_status(Run& run, const Args& args) {
    const int64_t wanted = args.number(run, 0, 0);
    return ask(run, [wanted](const Transaction& t) {
        for (int i = 0; i < t.branches; ++i)
            if (t.branch[i]->outcome == wanted || t.branch[i]->status == wanted) return true;
        return false;
    });
}

int status_of(Run& run) {
    if (!run.is_request()) return run.message().status();
    const Current& c = current(run);
    if (run.kind() == kFailureRoute) return c.failure_status;
    if (!c.id) return 0;
    const Locked shard(c.id);
    const Transaction* t = shard.find(c.id.label);
    return t == nullptr ? 0 : t->status;
}

Status prepare_status(Args& args) {
    const script::Value* const pattern = args.constant(0);
    if (pattern == nullptr) return {};
    auto compiled = script::Regex::compile(pattern->text);
    if (!compiled) return std::move(compiled).error();
    args.keep(*compiled);
    return {};
}
int fn_check_status(Run& run, const Args& args) {
    const auto* const pattern = args.prepared<std::shared_ptr<const script::Regex>>();
    const std::string status = std::to_string(status_of(run));
    if (pattern != nullptr) return truth((*pattern)->matches(status));
    const auto compiled = script::Regex::compile(args.text(run, 0));
    return truth(compiled && (*compiled)->matches(status));
}

// --- timers --------------------------------------------------------------------------------------------
constexpr int64_t kLongestTimer = 86'400'000;  // ms: a day

int fn_set_fr(Run& run, const Args& args) {
    Current& c = current(run);
    c.fr_inv_ms = std::clamp<int64_t>(args.number(run, 0, 0), 0, kLongestTimer);
    c.fr_ms = std::clamp<int64_t>(args.number(run, 1, 0), 0, kLongestTimer);
    change(run, [&c](Transaction& t) {
        if (c.fr_inv_ms != 0) t.fr_inv_ms = static_cast<uint32_t>(c.fr_inv_ms);
        if (c.fr_ms != 0) t.fr_ms = static_cast<uint32_t>(c.fr_ms);
    });
    return kTrue;
}
int fn_reset_fr(Run& run, const Args&) {
    Current& c = current(run);
    c.fr_ms = c.fr_inv_ms = 0;
    change(run, [](Transaction& t) {
        t.fr_ms = static_cast<uint32_t>(settings.fr_timer.get());
        t.fr_inv_ms = static_cast<uint32_t>(settings.fr_inv_timer.get());
    });
    return kTrue;
}
int fn_set_max_lifetime(Run& run, const Args& args) {
    Current& c = current(run);
    c.max_invite_ms = std::clamp<int64_t>(args.number(run, 0, 0), 0, kLongestTimer);
    c.max_other_ms = std::clamp<int64_t>(args.number(run, 1, 0), 0, kLongestTimer);
    change(run, [&c](Transaction& t) {
        if (const int64_t most = t.is_invite() ? c.max_invite_ms : c.max_other_ms; most != 0)
            t.max_age_at = t.born + most;
    });
    return kTrue;
}

int fn_reset_max_lifetime(Run& run, const Args&) {
    Current& c = current(run);
    c.max_invite_ms = c.max_other_ms = 0;
    change(run, [](Transaction& t) {
        const clock::Millis most = t.is_invite() ? settings.max_inv_lifetime : settings.max_noninv_lifetime;
        if (!t.answered) t.max_age_at = most == 0 ? 0 : t.born + most;
    });
    return kTrue;
}

// Kamailio's rule for branches that are under way: what has not reached T2 goes on from T1, the rest from T2.
void set_retransmissions(Transaction& t, int64_t t1_ms, int64_t t2_ms) {
    const int64_t reached = t.t2_ms != 0 ? t.t2_ms : t2();
    t.t1_ms = static_cast<uint32_t>(t1_ms);
    t.t2_ms = static_cast<uint32_t>(t2_ms);
    const int64_t first = t1_ms != 0 ? t1_ms : t1(), last = t2_ms != 0 ? t2_ms : t2();
    for (int i = 0; i < t.branches; ++i) {
        Branch& b = *t.branch[i];
        b.interval = static_cast<uint32_t>(b.interval >= reached ? last : std::max<int64_t>(first / 2, 1));
    }
}
int fn_set_retr(Run& run, const Args& args) {
    constexpr int64_t kShortest = 10, kLongest = 600'000;
    const auto read = [&](size_t i, int64_t before) {
        const int64_t given = args.number(run, i, 0);
        return given <= 0 ? before : std::clamp(given, kShortest, kLongest);
    };
    Current& c = current(run);
    c.t1_ms = read(0, c.t1_ms);
    c.t2_ms = read(1, c.t2_ms);
    change(run, [&c](Transaction& t) { set_retransmissions(t, c.t1_ms, c.t2_ms); });
    return kTrue;
}
int fn_reset_retr(Run& run, const Args&) {
    Current& c = current(run);
    c.t1_ms = c.t2_ms = 0;
    change(run, [](Transaction& t) { set_retransmissions(t, 0, 0); });
    return kTrue;
}

int go(Run& run, Way way, bool on) {
    set_way(run, way, on);
    return kTrue;
}
int fn_set_auto_inv_100(Run& run, const Args& args) { return go(run, kSayTrying, args.number(run, 0, 1) != 0); }
int fn_set_disable_6xx(Run& run, const Args& args) { return go(run, kGlobalFailureEnds, args.number(run, 0, 1) == 0); }
int fn_set_disable_failover(Run& run, const Args& args) {
    return go(run, kTryOtherServers, args.number(run, 0, 1) == 0);
}
int fn_set_no_reason(Run& run, const Args& args) { return go(run, kPassCancelReason, args.number(run, 0, 1) == 0); }
int fn_accepted(Run&, const Args&) { return kTrue; }

// t_drop_replies([mode]): "a" or none: all; "l": those of the last targets; "n": none.  relay() does it, if there are
// new ones.
int fn_drop_replies(Run& run, const Args& args) {
    const std::string_view mode = args.text(run, 0);
    current(run).drop_replies = mode.empty() ? 'a' : mode.front();
    return kTrue;
}

// t_save_lumps(): failure routes find the request as it is now.
int fn_save_lumps(Run& run, const Args&) {
    std::string saved;
    run.save(saved);
    bool kept = false;
    change(run, [&](Transaction& t) { kept = t.lumps_saved = replace_block(t.context, saved); });
    return truth(kept);
}

int fn_get_status_code(Run& run, const Args&) {
    const int status = status_of(run);
    return status == 0 ? kFalse : status;
}
int fn_is_retr_async_reply(Run&, const Args&) { return kFalse; }
int fn_clean(Run&, const Args&) {
    remove_ended();
    return kTrue;
}

int fn_load_contacts(Run& run, const Args&) { return truth(load_contacts(run)); }
int fn_next_contacts(Run& run, const Args&) { return truth(next_contacts(run)); }
// In a route about one branch: of the phone that this branch was for.
int fn_next_contact_flow(Run& run, const Args&) {
    const Current& c = current(run);
    std::string target;
    if (c.branch_failure)
        change(run, [&](const Transaction& t) {
            if (c.branch >= 0 && c.branch < t.branches) target = text_of(t.branch[c.branch]->target);
        });
    return truth(next_flow(run, target.empty() ? std::string_view() : script::unpack(target).instance));
}

constexpr uint16_t kReq = kRequestRoute | kEventRoute, kReqFail = kReq | kFailureRoute;
constexpr uint16_t kSetters = kReqFail | kBranchRoute | kReplyRoute;

// clang-format off
constexpr Function kFunctions[] = {
    {"t_on_failure", 1, 1, "(string route)", "The failure_route to run when all branches have failed; \"0\": none.", kSetters, fn_on_failure, prepare_route, 0, kFailureRoute},
    {"t_on_branch", 1, 1, "(string route)", "The branch_route to run for each branch; \"0\": none.", kSetters, fn_on_branch, prepare_route, 0, kBranchRoute},
    {"t_on_reply", 1, 1, "(string route)", "The onreply_route to run for each reply; \"0\": none.", kSetters, fn_on_reply, prepare_route, 0, kReplyRoute},
    {"t_on_branch_failure", 1, 1, "(string route)", "Runs event_route[tm:branch-failure:ROUTE] for each branch that fails, while others may go on; \"0\": none.", kSetters, fn_on_branch_failure},
    {"t_is_set", 1, 1, "(string kind)", "True if a route of that kind was armed.", kSetters, fn_is_set, prepare_is_set},
    {"t_is_canceled", 0, 0, "()", "True if a CANCEL came.", kAnyRoute, fn_is_canceled},
    {"t_is_expired", 0, 0, "()", "True if its lifetime is over.", kAnyRoute, fn_is_expired},
    {"t_check_status", 1, 1, "(string regex)", "True if the status of the (best) reply matches.", kAnyRoute, fn_check_status, prepare_status, 1},
    {"t_grep_status", 1, 1, "(int code)", "True if a branch got that status.", kAnyRoute, fn_grep_status},
    {"t_branch_timeout", 0, 0, "()", "In a failure route: true if the branch timed out.", kFailureRoute | kEventRoute, fn_branch_timeout},
    {"t_branch_replied", 0, 0, "()", "In a failure route: true if the branch got any reply.", kFailureRoute | kEventRoute, fn_branch_replied},
    {"t_any_timeout", 0, 0, "()", "True if any branch timed out.", kAnyRoute, fn_any_timeout},
    {"t_any_replied", 0, 0, "()", "True if any branch got a reply.", kAnyRoute, fn_any_replied},
    {"t_get_status_code", 0, 0, "()", "The status of the reply the route runs for, or of the last one sent; -1: none.", kAnyRoute, fn_get_status_code},
    {"t_set_fr", 1, 2, "(int fr_inv_timer [, int fr_timer])", "Timers of this transaction, in milliseconds; 0 leaves one as it is.", kSetters, fn_set_fr},
    {"t_reset_fr", 0, 0, "()", "Timers as configured.", kSetters, fn_reset_fr},
    {"t_set_max_lifetime", 2, 2, "(int invite, int other)", "How long this transaction may wait, in milliseconds.", kSetters, fn_set_max_lifetime},
    {"t_reset_max_lifetime", 0, 0, "()", "Lifetime as configured.", kSetters, fn_reset_max_lifetime},
    {"t_set_retr", 2, 2, "(int t1, int t2)", "Retransmission timers of this transaction, in milliseconds; 0 leaves one as it is.", kSetters, fn_set_retr},
    {"t_reset_retr", 0, 0, "()", "Retransmission timers as configured.", kSetters, fn_reset_retr},
    {"t_set_auto_inv_100", 1, 1, "(int on)", "Whether 100 goes out at once for this INVITE, whatever auto_inv_100 says.", kReq, fn_set_auto_inv_100},
    {"t_set_disable_6xx", 1, 1, "(int on)", "With 1 a 6xx does not end the other branches of this request.", kSetters, fn_set_disable_6xx},
    {"t_set_disable_failover", 1, 1, "(int on)", "With 1 no other server of a name is tried for this request.", kSetters, fn_set_disable_failover},
    {"t_set_no_e2e_cancel_reason", 1, 1, "(int on)", "With 1 the Reason headers of a CANCEL do not go on.", kSetters, fn_set_no_reason},
    {"t_disable_e2e_cancel_reason", 1, 1, "(int on)", "The same as t_set_no_e2e_cancel_reason().", kSetters, fn_set_no_reason},
    {"t_set_disable_internal_reply", 1, 1, "(int on)", "Accepted: t_relay() never answers a request that it could not send.", kSetters, fn_accepted},
    {"t_use_uac_headers", 0, 0, "()", "Accepted: ACK and CANCEL are always made from the request as it was sent.", kAnyRoute, fn_accepted},
    {"t_drop_replies", 0, 1, "([string mode])", "The failures seen so far do not compete with those of new branches: \"a\" all, \"l\" those of the last targets, \"n\" none.", kFailureRoute | kEventRoute, fn_drop_replies},
    {"t_save_lumps", 0, 0, "()", "Failure routes find the request as it is now, without what is changed before t_relay().", kReq, fn_save_lumps},
    {"t_is_retr_async_reply", 0, 0, "()", "False: replies are never suspended.", kAnyRoute, fn_is_retr_async_reply},
    {"t_clean", 0, 0, "()", "Removes transactions that nothing waits for any more.", kAnyRoute, fn_clean},
    {"t_load_contacts", 0, 1, "([int mode])", "Puts the targets aside, in order of q, for t_next_contacts().", kReqFail, fn_load_contacts},
    {"t_next_contact_flow", 0, 0, "()", "Takes the next flow of a phone whose flow failed with 430 or 408 (RFC 5626 7); false if none is left.", kReqFail, fn_next_contact_flow},
    {"t_next_contacts", 0, 0, "()", "Takes the targets of the highest q that are left; false if none are.", kReqFail, fn_next_contacts},
};
// clang-format on

}  // namespace

std::span<const Function> state_functions() { return kFunctions; }

void set_way(Run& run, Way way, bool on) {
    Current& c = current(run);
    (on ? c.ways_on : c.ways_off) |= way;
    (on ? c.ways_off : c.ways_on) &= static_cast<uint8_t>(~way);
    change(run, [=](Transaction& t) { t.ways = static_cast<uint8_t>(on ? t.ways | way : t.ways & ~way); });
}

}  // namespace kahu::tm
