// Forwarding without transactions (RFC 3261 16.11): requests where forward() says, replies by their Via.
#include <cstring>
#include <memory>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/base/text.h"
#include "core/net/connection.h"
#include "core/script/invite_replies.h"
#include "core/script/message_facts.h"
#include "core/script/onsend.h"
#include "core/script/outgoing.h"
#include "core/script/params.h"
#include "core/script/reply.h"
#include "core/script/traffic_counters.h"

namespace kahu::script {
namespace {

constexpr int kUnresolvable = 478;  // what Kamailio answers
constexpr int kFlowFailed = 430;    // RFC 5626 5.3

void append_hex(uint64_t number, char*& out) {
    for (int shift = 60; shift >= 0; shift -= 4) *out++ = "0123456789abcdef"[number >> shift & 15];
}

// The parts that all messages of a transaction share on this hop.
void append_identity(const Run& run, std::string& out) {
    const sip::Message& message = run.message();
    const auto add = [&](std::string_view part) { out.append(part).append(1, '\n'); };
    if (const sip::Via* const via = message.top_via()) {
        add(via->host);
        add(std::to_string(via->port));
        add(via->branch);
        if (via->has_rfc3261_branch()) return;
    }
    add(message.call_id());
    if (const sip::NameAddr* const from = message.from()) add(from->tag);
    if (const sip::CSeq* const cseq = message.cseq()) add(std::to_string(cseq->number));
    add(message.request_uri());
}

// The one that a phone registered on, unless the request wants another transport.
net::ConnectionId connection_for(const Branch& target, Transport transport) {
    const net::Connection* const row = net::find_connection(target.connection);
    return row != nullptr && row->transport == transport ? target.connection : net::ConnectionId::none;
}

bool send_request(Run& run, const net::Destinations& found) {
    static std::string bytes;
    char branch[kStatelessBranchBytes];
    const Branch& target = run.branches.main();
    for (net::Destination to : found.list()) {
        if (is_sips(run.request_uri()) && to.transport != Transport::tls) continue;
        to.connection = connection_for(target, to.transport);
        to.connect = !run.forward_no_connect;
        const uint16_t preferred = target.socket != net::kAnyListener ? target.socket : run.inbound().listener;
        if (!net::choose_listener(to, preferred)) continue;
        std::string_view route;
        if (!target.path.empty())
            route = TextBuilder(run.arena()).append("Route: ").append(target.path).append("\r\n").take();
        bytes.clear();
        build_request_that_fits(
            run, {.branch = stateless_branch(run, branch), .extra_headers = route, .phone = target.phone()}, to, bytes);
        if (!run_onsend_route(run, to, bytes)) {  // the script wants it so
            count_dropped(true);
            return true;
        }
        if (net::send_to(to, bytes) != net::Sent::ok) continue;
        count_forwarded(true, true);
        return true;
    }
    count_forwarded(true, false);
    return false;
}

// A request whose destination is being looked up: all that is needed to go on as if it had just come.
struct Waiting {
    std::string bytes, state;
    net::Inbound inbound;
};

void go_on(const Waiting& waiting, net::Resolution how, const net::Destinations& found) {
    static sip::Message message;
    static Run run;
    sip::Bad ignored;
    if (!message.parse(waiting.bytes, ignored)) return;
    run.begin(message, waiting.inbound, kRequestRoute);
    run.restore(waiting.state);
    if (how == net::Resolution::ready && send_request(run, found)) return;
    if (message.method() != sip::Method::ack)
        reply_stateless(run, kUnresolvable, {.reason = "Unresolvable destination"});
}

// RFC 3581 4: a datagram goes back from where its request came to.
uint16_t reply_listener(const Run& run) {
    const auto noted = listener_in_via(*run.message().top_via());
    return noted.value_or(run.inbound().listener);
}

// Sent-by is a name: RFC 3261 18.2.2, RFC 3263 5.
bool send_reply_by_name(const sip::Message& reply, uint16_t listener, const std::string& bytes) {
    const sip::Via& via = *reply.second_via();
    net::Question question{.host = via.bare_host(), .port = via.port, .transport = transport_named(via.transport)};
    if (!question.transport) return false;
    question.keeps = bytes.size();
    const auto send = [listener](const net::Destinations& found, std::string_view text) {
        for (net::Destination to : found.list())
            if (net::choose_listener(to, listener) && net::send_to(to, text) == net::Sent::ok) return true;
        return false;
    };
    net::Destinations found;
    const net::Resolution now = net::resolve(
        question, found, [send, bytes](net::Resolution, const net::Destinations& later) { send(later, bytes); });
    return now == net::Resolution::pending || (now == net::Resolution::ready && send(found, bytes));
}

}  // namespace

std::string_view stateless_branch(Run& run, char* into) {
    static std::string identity;
    identity.clear();
    append_identity(run, identity);
    std::memcpy(into, "z9hG4bK", 7);
    char* out = into + 7;
    append_hex(hash_text(identity), out);
    identity.append("2");
    append_hex(hash_text(identity), out);
    return {into, kStatelessBranchBytes};
}

bool forward_stateless(Run& run, std::string_view to_uri, std::optional<Transport> by) {
    if (!run.is_request()) return false;
    if (to_uri.empty() && !by) {
        net::Destinations flow;
        flow.count = net::destination_over(run.branches.main().connection, flow.at[0]) ? 1 : 0;
        if (flow.count != 0 && send_request(run, flow)) return true;
        if (run.branches.main().flow_only) {
            run.last_error = kFlowFailed;
            return false;
        }
    }
    sip::Uri uri;
    const sip::Uri* const hop = to_uri.empty() ? next_hop(run, uri) : next_hop(to_uri, {}, uri);
    const sip::Uri* const target = run.parsed_request_uri();
    const bool sips = target != nullptr && target->scheme == sip::Scheme::sips;
    net::Question question;
    if (hop == nullptr || !question_for(*hop, sips, question)) {
        LOG_AT_MOST(5, info, "forward.no_next_hop",
                    kv("uri", text::printable(to_uri.empty() ? run.request_uri() : to_uri)));
        return false;
    }
    if (by) question.transport = by;
    char branch[kStatelessBranchBytes];
    question.stable_choice = hash_text(stateless_branch(run, branch)) | 1;
    question.keeps = sizeof(Waiting) + 2 * run.message().bytes().size();  // the state may be as long again
    const auto waiting = std::make_shared<Waiting>();
    net::Destinations found;
    const net::Resolution now =
        net::resolve(question, found,
                     [waiting](net::Resolution how, const net::Destinations& later) { go_on(*waiting, how, later); });
    if (now == net::Resolution::ready) return send_request(run, found);
    if (now != net::Resolution::pending) return false;
    waiting->bytes = run.message().bytes();
    waiting->inbound = run.inbound();
    run.save(waiting->state);
    return true;
}

bool forward_reply_stateless(Run& run) {
    const sip::Message& reply = run.message();
    static std::string bytes;
    bytes.clear();
    if (!top_via_is_ours(reply) || !build_relayed_reply(run, bytes)) {
        LOG(debug, "reply.not_forwarded", kv("from", run.inbound().source.text()), kv("status", reply.status()));
        return false;
    }
    net::Destination to;
    bool sent = false;
    if (!reply_destination(reply, to)) {
        sent = send_reply_by_name(reply, reply_listener(run), bytes);
    } else {
        to.connect = !run.forward_no_connect && !run.reply_no_connect;
        if (!net::choose_listener(to, reply_listener(run))) return false;
        if (params::onsend_route_reply != 0 && !run_onsend_route(run, to, bytes))
            return true;  // the script wants it so
        sent = net::send_to(to, bytes) == net::Sent::ok;
    }
    count_forwarded(false, sent);
    if (sent && method_of(reply) == sip::Method::invite && invite_replies_are_watched())
        tell_invite_reply(
            {reply.call_id(), reply.to() == nullptr ? std::string_view() : reply.to()->tag, reply.status()});
    return sent;
}

}  // namespace kahu::script
