// What a script says to tm: arguments in, the return convention out (1 true, -1 false, 0 ends the script).
#include "core/modules/tm/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/contacts.h"
#include "core/modules/tm/current.h"
#include "core/modules/tm/intake.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/relay.h"
#include "core/modules/tm/replies.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/table.h"
#include "core/script/function.h"
#include "core/script/program.h"
#include "core/script/regex.h"

namespace kahu::tm {
namespace {

using script::Args;
using script::Run;
constexpr int kTrue = 1, kFalse = -1, kEnd = 0;

int truth(bool b) { return b ? kTrue : kFalse; }

// --- relaying ------------------------------------------------------------------------------------------
int answer_of(Relayed relayed) {
    switch (relayed) {
    case Relayed::ok: return kTrue;
    case Relayed::absorbed: return kEnd;
    case Relayed::failed: break;
    }
    return kFalse;
}

int relay_by(Run& run, const Args& args, std::optional<Transport> transport) {
    RelayTo to{.transport = transport};
    to.host = args.text(run, 0);
    const int64_t port = args.number(run, 1, 0);
    if (port < 0 || port > 65535) return kFalse;
    to.port = static_cast<uint16_t>(port);
    return answer_of(relay(run, to));
}
int fn_relay(Run& run, const Args& args) { return relay_by(run, args, std::nullopt); }
int fn_relay_udp(Run& run, const Args& args) { return relay_by(run, args, Transport::udp); }
int fn_relay_tcp(Run& run, const Args& args) { return relay_by(run, args, Transport::tcp); }
int fn_relay_tls(Run& run, const Args& args) { return relay_by(run, args, Transport::tls); }

// t_relay_to([proxy [, flags]]): "host:port"; the flags of Kamailio concern what we never do.
int fn_relay_to(Run& run, const Args& args) {
    const std::string_view proxy = args.text(run, 0);
    const size_t colon = proxy.rfind(':');
    RelayTo to;
    to.host = proxy.substr(0, colon);
    if (colon != proxy.npos) {
        const auto port = text::to_int(proxy.substr(colon + 1));
        if (!port || *port < 1 || *port > 65535) return kFalse;
        to.port = static_cast<uint16_t>(*port);
    }
    return answer_of(relay(run, to));
}

int fn_relay_cancel(Run& run, const Args&) {
    if (run.message().method() != sip::Method::cancel) return kTrue;
    return take_cancel(run) ? kEnd : kTrue;
}

// --- transactions --------------------------------------------------------------------------------------
int fn_newtran(Run& run, const Args&) {
    if (run.message().method() == sip::Method::ack) return kFalse;
    switch (take_request(run)) {
    case Intake::created: return kTrue;
    case Intake::again:
    case Intake::refused: return kEnd;
    case Intake::existing:
    case Intake::failed: break;
    }
    return kFalse;
}

int fn_check_trans(Run& run, const Args&) {
    return run.is_request() ? check_transaction(run) : truth(belongs_to_a_transaction(run.message()));
}
int fn_precheck_trans(Run& run, const Args&) { return truth(run.is_request() && being_routed(run)); }
int fn_lookup_request(Run& run, const Args&) { return truth(static_cast<bool>(current(run).id)); }
int fn_lookup_cancel(Run& run, const Args&) {
    RequestKey key;
    if (run.message().method() != sip::Method::cancel || !read_key(run.message(), key)) return kFalse;
    const Locked shard(key.shard());
    return truth(find_target(shard, key) != nullptr);
}

int fn_release(Run& run, const Args&) {
    Current& c = current(run);
    if (!c.id) return kFalse;
    Locked shard(c.id);
    if (Transaction* t = shard.find(c.id.label)) {
        if (t->branches == 0) expire_unanswered(*t, clock::now_ms());
        (void)shard.settle(t);
    }
    return kTrue;
}

bool reply_now(Run& run, int status, const script::ReplyText& given) {
    const script::ReplyText text = script::with_body_of(run, given);
    Current& c = current(run);
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t == nullptr) return false;
    if (status >= 200 && t->context == nullptr && observers_want(run)) {
        std::string saved;
        run.save(saved);
        t->observed = replace_block(t->context, saved);
    }
    std::string headers(text.extra_headers);
    headers += run.reply_headers;
    const bool sent = answer_locally(*t, run.message(),
                                     {.status = status,
                                      .reason = text.reason,
                                      .extra_headers = headers,
                                      .content_type = text.content_type,
                                      .body = text.body});
    if (status >= 200) {
        c.answered = run.replied = true;
        cancel_pending(*t, nullptr, elsewhere_reason(status));
    }
    (void)shard.settle(t);
    return sent;
}

bool is_status(int64_t code) { return code >= 100 && code <= 699; }

Status prepare_reply(Args& args) {
    const script::Value* const code = args.constant(0);
    if (code == nullptr) return {};
    int64_t status = code->number;
    if ((code->is_text() && !script::spells_integer(code->text, status)) || !is_status(status))
        return Error{Errc::invalid, "not a status code", "100 to 699"};
    return {};
}

int fn_reply(Run& run, const Args& args) {
    const int64_t status = args.number(run, 0, 0);
    if (!is_status(status) || !current(run).id) return kFalse;
    const std::string_view reason = args.text(run, 1);
    return truth(reply_now(run, static_cast<int>(status), {.reason = reason}));
}

int fn_retransmit_reply(Run& run, const Args&) {
    const Current& c = current(run);
    if (!c.id) return kFalse;
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t == nullptr) return kFalse;
    on_retransmission(*t);
    return kTrue;
}

int fn_cancel_branches(Run& run, const Args& args) {
    const Current& c = current(run);
    if (!c.id) return kFalse;
    const std::string_view which = args.text(run, 0);
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t == nullptr) return kFalse;
    for (int i = 0; i < t->branches; ++i) {
        const bool own = i == c.branch;
        if ((which == "this" && !own) || (which == "others" && own)) continue;
        if (is_pending(*t, *t->branch[i])) cancel_branch(*t, *t->branch[i], elsewhere_reason(200));
    }
    (void)shard.settle(t);
    return kTrue;
}

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
template <class F>
int ask(Run& run, F&& question) {
    const Current& c = current(run);
    if (!c.id) return kFalse;
    const Locked shard(c.id);
    const Transaction* t = shard.find(c.id.label);
    return truth(t != nullptr && question(*t));
}

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
template <class F>
void change(Run& run, F&& how) {
    const Current& c = current(run);
    if (!c.id) return;
    Locked shard(c.id);
    if (Transaction* t = shard.find(c.id.label)) {
        how(*t);
        (void)shard.settle(t);
    }
}

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

int go(Run& run, Way way, bool on) {
    Current& c = current(run);
    (on ? c.ways_on : c.ways_off) |= way;
    (on ? c.ways_off : c.ways_on) &= static_cast<uint8_t>(~way);
    change(run, [=](Transaction& t) { t.ways = static_cast<uint8_t>(on ? t.ways | way : t.ways & ~way); });
    return kTrue;
}
int fn_set_auto_inv_100(Run& run, const Args& args) { return go(run, kSayTrying, args.number(run, 0, 1) != 0); }
int fn_set_disable_6xx(Run& run, const Args& args) { return go(run, kGlobalFailureEnds, args.number(run, 0, 1) == 0); }
int fn_set_disable_failover(Run& run, const Args& args) {
    return go(run, kTryOtherServers, args.number(run, 0, 1) == 0);
}
int fn_set_no_reason(Run& run, const Args& args) { return go(run, kPassCancelReason, args.number(run, 0, 1) == 0); }
int fn_flush_flags(Run&, const Args&) { return kTrue; }

int fn_load_contacts(Run& run, const Args&) { return truth(load_contacts(run)); }
int fn_next_contacts(Run& run, const Args&) { return truth(next_contacts(run)); }
int fn_next_contact_flow(Run& run, const Args&) { return truth(next_flow(run)); }

template <uint16_t kMask>
int fn_kind(Run& run, const Args&) {
    return truth((run.kind() & kMask) != 0);
}

constexpr uint16_t kReq = kRequestRoute | kEventRoute, kReqFail = kReq | kFailureRoute;
constexpr uint16_t kSetters = kReqFail | kBranchRoute | kReplyRoute;

// clang-format off
constexpr Function kFunctions[] = {
    {"t_relay", 0, 2, "([string host [, int port]])", "Sends the request to its targets and answers for them: a stateful proxy.", kReqFail, fn_relay},
    {"t_relay_to_udp", 0, 2, "([string host, int port])", "t_relay() over UDP.", kReqFail, fn_relay_udp},
    {"t_relay_to_tcp", 0, 2, "([string host, int port])", "t_relay() over TCP.", kReqFail, fn_relay_tcp},
    {"t_relay_to_tls", 0, 2, "([string host, int port])", "t_relay() over TLS.", kReqFail, fn_relay_tls},
    {"t_relay_to", 0, 2, "([string proxy [, string flags]])", "t_relay() to \"host:port\".", kReqFail, fn_relay_to},
    {"t_forward_nonack", 0, 2, "([string host, int port])", "The same as t_relay().", kReqFail, fn_relay},
    {"t_relay_cancel", 0, 0, "()", "Cancels the INVITE's branches and ends the script; true if there is none, or for other requests.", kReq, fn_relay_cancel},
    {"t_newtran", 0, 0, "()", "Makes the transaction; ends the script for a retransmission.", kReq, fn_newtran},
    {"t_check_trans", 0, 0, "()", "True if a CANCEL, an ACK or a reply belongs to a transaction; ends the script for retransmissions and ACKs to negative replies.", kReq | kReplyRoute, fn_check_trans},
    {"t_lookup_request", 0, 0, "()", "True if the request has a transaction.", kReqFail, fn_lookup_request},
    {"t_lookup_cancel", 0, 1, "([int flags])", "True if a CANCEL belongs to a transaction.", kReq, fn_lookup_cancel},
    {"t_release", 0, 0, "()", "Lets go of a transaction that is neither relayed nor answered.", kReqFail, fn_release},
    {"t_reply", 2, 2, "(int code, string reason)", "Answers through the transaction.", kReqFail, fn_reply, prepare_reply},
    {"t_retransmit_reply", 0, 0, "()", "Sends the last reply again.", kReq, fn_retransmit_reply},
    {"t_on_failure", 1, 1, "(string route)", "The failure_route to run when all branches have failed; \"0\": none.", kSetters, fn_on_failure, prepare_route, 0, kFailureRoute},
    {"t_on_branch", 1, 1, "(string route)", "The branch_route to run for each branch; \"0\": none.", kSetters, fn_on_branch, prepare_route, 0, kBranchRoute},
    {"t_on_reply", 1, 1, "(string route)", "The onreply_route to run for each reply; \"0\": none.", kSetters, fn_on_reply, prepare_route, 0, kReplyRoute},
    {"t_is_set", 1, 1, "(string kind)", "True if a route of that kind was armed.", kSetters, fn_is_set, prepare_is_set},
    {"t_is_canceled", 0, 0, "()", "True if a CANCEL came.", kAnyRoute, fn_is_canceled},
    {"t_is_expired", 0, 0, "()", "True if its lifetime is over.", kAnyRoute, fn_is_expired},
    {"t_check_status", 1, 1, "(string regex)", "True if the status of the (best) reply matches.", kAnyRoute, fn_check_status, prepare_status, 1},
    {"t_grep_status", 1, 1, "(int code)", "True if a branch got that status.", kAnyRoute, fn_grep_status},
    {"t_branch_timeout", 0, 0, "()", "In a failure route: true if the branch timed out.", kFailureRoute | kEventRoute, fn_branch_timeout},
    {"t_branch_replied", 0, 0, "()", "In a failure route: true if the branch got any reply.", kFailureRoute | kEventRoute, fn_branch_replied},
    {"t_any_timeout", 0, 0, "()", "True if any branch timed out.", kAnyRoute, fn_any_timeout},
    {"t_any_replied", 0, 0, "()", "True if any branch got a reply.", kAnyRoute, fn_any_replied},
    {"t_set_fr", 1, 2, "(int fr_inv_timer [, int fr_timer])", "Timers of this transaction, in milliseconds; 0 leaves one as it is.", kSetters, fn_set_fr},
    {"t_reset_fr", 0, 0, "()", "Timers as configured.", kSetters, fn_reset_fr},
    {"t_set_max_lifetime", 2, 2, "(int invite, int other)", "How long this transaction may wait, in milliseconds.", kSetters, fn_set_max_lifetime},
    {"t_set_auto_inv_100", 1, 1, "(int on)", "Whether 100 goes out at once for this INVITE, whatever auto_inv_100 says.", kReq, fn_set_auto_inv_100},
    {"t_set_disable_6xx", 1, 1, "(int on)", "With 1 a 6xx does not end the other branches of this request.", kReqFail, fn_set_disable_6xx},
    {"t_set_disable_failover", 1, 1, "(int on)", "With 1 no other server of a name is tried for this request.", kReqFail, fn_set_disable_failover},
    {"t_set_no_e2e_cancel_reason", 1, 1, "(int on)", "With 1 the Reason headers of a CANCEL do not go on.", kReq, fn_set_no_reason},
    {"t_load_contacts", 0, 1, "([int mode])", "Puts the targets aside, in order of q, for t_next_contacts().", kReqFail, fn_load_contacts},
    {"t_next_contact_flow", 0, 0, "()", "Takes the next flow of a phone whose flow failed with 430 or 408 (RFC 5626 7); false if none is left.", kReqFail, fn_next_contact_flow},
    {"t_next_contacts", 0, 0, "()", "Takes the targets of the highest q that are left; false if none are.", kReqFail, fn_next_contacts},
};

constexpr Function kTmxFunctions[] = {
    {"t_precheck_trans", 0, 0, "()", "True if another process routes the same request at this moment.", kReq, fn_precheck_trans},
    {"t_cancel_branches", 1, 1, "(string which)", "Cancels \"all\" branches, \"this\" one, or the \"others\".", kReplyRoute | kFailureRoute | kEventRoute, fn_cancel_branches},
    {"t_is_request_route", 0, 0, "()", "True in a request_route.", kAnyRoute, fn_kind<kRequestRoute>},
    {"t_is_failure_route", 0, 0, "()", "True in a failure_route.", kAnyRoute, fn_kind<kFailureRoute>},
    {"t_is_branch_route", 0, 0, "()", "True in a branch_route.", kAnyRoute, fn_kind<kBranchRoute>},
    {"t_is_reply_route", 0, 0, "()", "True in a reply route.", kAnyRoute, fn_kind<kReplyRoute>},
    {"t_flush_flags", 0, 0, "()", "Accepted: flags follow the transaction by themselves.", kAnyRoute, fn_flush_flags},
    {"t_flush_xflags", 0, 0, "()", "Accepted: flags follow the transaction by themselves.", kAnyRoute, fn_flush_flags},
};
// clang-format on

}  // namespace

std::span<const Function> tm_functions() { return kFunctions; }
std::span<const Function> tmx_functions() { return kTmxFunctions; }

script::TransactionLayer::Answered reply_through_transaction(Run& run, int status, const script::ReplyText& text) {
    using Answered = script::TransactionLayer::Answered;
    if (!current(run).id) return Answered::no_transaction;
    return reply_now(run, status, text) ? Answered::sent : Answered::failed;
}

}  // namespace kahu::tm
