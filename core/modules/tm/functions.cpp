// What a script says to tm: arguments in, the return convention out (1 true, -1 false, 0 ends the script).
#include "core/modules/tm/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/modules/tm/by_call.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/current.h"
#include "core/modules/tm/function_help.h"
#include "core/modules/tm/intake.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/originate.h"
#include "core/modules/tm/relay.h"
#include "core/modules/tm/replicate.h"
#include "core/modules/tm/replies.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/table.h"
#include "core/script/function.h"

namespace kahu::tm {
namespace {

using script::Args;
using script::Run;
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

// [proto:]host[:port].  False: no such transport or port.
bool read_proxy(std::string_view proxy, RelayTo& to) {
    if (const size_t colon = proxy.find(':'); colon != proxy.npos)
        if (const auto named = transport_named(proxy.substr(0, colon))) {
            to.transport = named;
            proxy.remove_prefix(colon + 1);
        }
    const bool v6 = proxy.starts_with('[');
    const size_t colon = v6 ? proxy.find(':', proxy.find(']')) : proxy.rfind(':');
    to.host = proxy.substr(0, colon);
    if (colon == proxy.npos) return true;
    const auto port = text::to_int(proxy.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return false;
    to.port = static_cast<uint16_t>(*port);
    return true;
}

// t_relay_to([proxy] [, flags]): 1 no 100, 4 no other servers of the name; 2 (no reply to errors) is always so.
int fn_relay_to(Run& run, const Args& args) {
    constexpr int64_t kNoTrying = 1, kNoFailover = 4;
    std::string_view proxy = args.text(run, 0);
    int64_t flags = args.number(run, 1, 0);
    if (args.size() == 1 && script::spells_integer(proxy, flags)) proxy = {};
    RelayTo to;
    if (!read_proxy(proxy, to)) return kFalse;
    if (flags & kNoTrying) set_way(run, kSayTrying, false);
    if (flags & kNoFailover) set_way(run, kTryOtherServers, false);
    return answer_of(relay(run, to));
}

// t_relay_to_avp(proto, host:port)
int fn_relay_to_server(Run& run, const Args& args) {
    RelayTo to;
    if (!read_proxy(args.text(run, 1), to)) return kFalse;
    to.transport = transport_named(args.text(run, 0));
    return to.transport ? answer_of(relay(run, to)) : kFalse;
}

// t_replicate([uri]), (host, port) and their kin for one transport.
std::string replica_uri(Run& run, const Args& args, std::string_view transport) {
    const std::string_view first = args.text(run, 0);
    if (args.size() < 2) return std::string(first);
    std::string uri = fmt::format("sip:{}:{}", first, args.number(run, 1, 0));
    if (!transport.empty()) uri.append(";transport=").append(transport);
    return uri;
}
int fn_replicate(Run& run, const Args& args) { return truth(replicate(run, replica_uri(run, args, {}))); }
int fn_replicate_udp(Run& run, const Args& args) { return truth(replicate(run, replica_uri(run, args, "udp"))); }
int fn_replicate_tcp(Run& run, const Args& args) { return truth(replicate(run, replica_uri(run, args, "tcp"))); }
int fn_replicate_tls(Run& run, const Args& args) { return truth(replicate(run, replica_uri(run, args, "tls"))); }
int fn_replicate_to(Run& run, const Args& args) {  // (proto, host:port)
    return truth(replicate(run, fmt::format("sip:{};transport={}", args.text(run, 1), args.text(run, 0))));
}

// t_uac_send(method, ruri, nexthop, socket, headers, body)
int fn_uac_send(Run& run, const Args& args) {
    const Origin what{.method = args.text(run, 0),
                      .uri = args.text(run, 1),
                      .next_hop = args.text(run, 2),
                      .listener = socket_called(args.text(run, 3)),
                      .headers = args.text(run, 4),
                      .body = args.text(run, 5)};
    const auto made = originate(what);
    if (!made) LOG(info, "tm.not_sent", kv("method", what.method), kv("reason", made.error().what));
    return truth(static_cast<bool>(made));
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
int fn_lookup_request(Run& run, const Args&) { return truth(look_up_request(run)); }
// With 1 the flags of the request that it cancels become those of the CANCEL.
int fn_lookup_cancel(Run& run, const Args& args) {
    RequestKey key;
    if (run.message().method() != sip::Method::cancel || !read_key(run.message(), key)) return kFalse;
    const Locked shard(key.shard());
    const Transaction* const t = find_target(shard, key);
    if (t == nullptr) return kFalse;
    const Block* const saved = t->shared != nullptr ? t->shared : t->context;
    if (args.number(run, 0, 0) == 1 && saved != nullptr) {
        static Run invite;
        invite.begin(run.message(), run.inbound(), run.kind());
        invite.restore_shared(saved->text());
        run.flags = invite.flags;
    }
    return kTrue;
}

int fn_release(Run& run, const Args&) {
    const Current& c = current(run);
    if (!c.id) return kFalse;
    if (c.foreign) return kTrue;  // whoever made it lets go of it
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

// t_send_reply(): makes the transaction first if there is none.
int fn_send_reply(Run& run, const Args& args) {
    if (!current(run).id) {
        if (run.message().method() == sip::Method::ack) return kFalse;
        const Intake taken = take_request(run);
        if (taken == Intake::again || taken == Intake::refused) return kEnd;
        if (taken == Intake::failed) return kFalse;
    }
    return fn_reply(run, args);
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

constexpr uint16_t kReq = kRequestRoute | kEventRoute, kReqFail = kReq | kFailureRoute;

// clang-format off
constexpr Function kFunctions[] = {
    {"t_relay", 0, 2, "([string host [, int port]])", "Sends the request to its targets and answers for them: a stateful proxy.", kReqFail, fn_relay},
    {"t_relay_to_udp", 0, 2, "([string host, int port])", "t_relay() over UDP.", kReqFail, fn_relay_udp},
    {"t_relay_to_tcp", 0, 2, "([string host, int port])", "t_relay() over TCP.", kReqFail, fn_relay_tcp},
    {"t_relay_to_tls", 0, 2, "([string host, int port])", "t_relay() over TLS.", kReqFail, fn_relay_tls},
    {"t_relay_to", 0, 2, "([string proxy] [, int flags])", "t_relay() to \"[proto:]host[:port]\". Flags: 1 sends no 100, 4 tries no other server of the name.", kReqFail, fn_relay_to},
    {"t_relay_to_avp", 2, 2, "(string proto, string host:port)", "t_relay() to that server, over that transport.", kReqFail, fn_relay_to_server},
    {"t_forward_nonack_uri", 0, 0, "()", "The same as t_relay().", kReqFail, fn_relay},
    {"t_forward_nonack_to", 2, 2, "(string proto, string host:port)", "The same as t_relay_to_avp().", kReqFail, fn_relay_to_server},
    {"t_forward_nonack", 0, 2, "([string host, int port])", "The same as t_relay().", kReqFail, fn_relay},
    {"t_forward_nonack_udp", 0, 2, "([string host, int port])", "The same as t_relay_to_udp().", kReqFail, fn_relay_udp},
    {"t_forward_nonack_tcp", 0, 2, "([string host, int port])", "The same as t_relay_to_tcp().", kReqFail, fn_relay_tcp},
    {"t_forward_nonack_tls", 0, 2, "([string host, int port])", "The same as t_relay_to_tls().", kReqFail, fn_relay_tls},
    {"t_relay_cancel", 0, 0, "()", "Cancels the INVITE's branches and ends the script; true if there is none, or for other requests.", kReq, fn_relay_cancel},
    {"t_newtran", 0, 0, "()", "Makes the transaction; ends the script for a retransmission.", kReq, fn_newtran},
    {"t_check_trans", 0, 0, "()", "True if a CANCEL, an ACK or a reply belongs to a transaction; ends the script for retransmissions and ACKs to negative replies.", kReq | kReplyRoute, fn_check_trans},
    {"t_lookup_request", 0, 0, "()", "True if the request has a transaction.", kReqFail, fn_lookup_request},
    {"t_lookup_cancel", 0, 1, "([int flags])", "True if a CANCEL belongs to a transaction; with 1 it takes over the flags of that.", kReq, fn_lookup_cancel},
    {"t_release", 0, 0, "()", "Lets go of a transaction that is neither relayed nor answered.", kReqFail, fn_release},
    {"t_reply", 2, 2, "(int code, string reason)", "Answers through the transaction.", kReqFail, fn_reply, prepare_reply},
    {"t_send_reply", 2, 2, "(int code, string reason)", "Answers through the transaction, which is made if there is none.", kReqFail, fn_send_reply, prepare_reply},
    {"t_retransmit_reply", 0, 0, "()", "Sends the last reply again.", kReq, fn_retransmit_reply},
    {"t_replicate", 0, 2, "([string uri | string host, int port])", "Sends a copy to the URI, or where the request itself would go; its replies end here.", kReq, fn_replicate},
    {"t_replicate_udp", 2, 2, "(string host, int port)", "t_replicate() over UDP.", kReq, fn_replicate_udp},
    {"t_replicate_tcp", 2, 2, "(string host, int port)", "t_replicate() over TCP.", kReq, fn_replicate_tcp},
    {"t_replicate_tls", 2, 2, "(string host, int port)", "t_replicate() over TLS.", kReq, fn_replicate_tls},
    {"t_replicate_to", 2, 2, "(string proto, string hostport)", "t_replicate() to that address.", kReq, fn_replicate_to},
    {"t_uac_send", 6, 6, "(string method, string uri, string next_hop, string socket, string headers, string body)", "Sends a request of our own; next_hop, socket and body may be empty. From and To must be among the headers.", kAnyRoute, fn_uac_send},
};
// clang-format on

}  // namespace

std::span<const Function> request_functions() { return kFunctions; }

std::span<const Function> tm_functions() {
    static const std::vector<Function> all = [] {
        std::vector<Function> list(request_functions().begin(), request_functions().end());
        list.insert(list.end(), state_functions().begin(), state_functions().end());
        return list;
    }();
    return all;
}

script::TransactionLayer::Answered reply_through_transaction(Run& run, int status, const script::ReplyText& text) {
    using Answered = script::TransactionLayer::Answered;
    if (!current(run).id) return Answered::no_transaction;
    return reply_now(run, status, text) ? Answered::sent : Answered::failed;
}

}  // namespace kahu::tm
