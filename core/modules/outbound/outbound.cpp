// When flows count, and the way over them.
#include <sys/random.h>

#include "core/modules/outbound/api.h"
#include "core/modules/outbound/settings.h"
#include "core/net/connection.h"
#include "core/net/listener.h"
#include "core/script/message_facts.h"
#include "core/sip/contact.h"
#include "core/sip/name_addr.h"
#include "mem/contract.h"

namespace kahu::outbound {
namespace {

using script::PeerFlow;
using script::Run;

// No connection ever has this number: a flow that names it has ended.
constexpr auto kEnded = static_cast<net::ConnectionId>(UINT64_MAX);

bool g_active = false;
Key g_random{};

const Key& key() {
    static const Key chosen = settings.secret.get().empty() ? g_random : key_of(settings.secret.get());
    return chosen;
}
void write(const PeerFlow& flow, std::string& out) { append_token(flow, key(), out); }

bool has_flag(const Run& run, int64_t flag) { return flag >= 0 && (run.flags >> flag & 1) != 0; }

bool first_contact(const sip::Message& message, sip::Contact& out) {
    const auto* const field = message.first(sip::HeaderId::contact);
    return field != nullptr && !sip::is_star_contact(field->value) && sip::ContactList(field->value).next(out);
}

// Our own URI on top of Route, with a flow in it.
bool top_route(const sip::Message& message, sip::Uri& uri) {
    const auto* const field = message.first(sip::HeaderId::route);
    sip::NameAddr hop;
    sip::Bad bad;
    return field != nullptr && sip::NameAddrList(field->value).next(hop) && sip::parse_uri(hop.uri, uri, bad) &&
           script::is_myself(uri);
}

const net::Listener* listener_of(const PeerFlow& flow) { return net::find_listener(flow.transport, flow.local); }

// A connection of that number, and the peer is who it was: after a restart numbers begin anew.
bool is_open(const PeerFlow& flow) {
    const net::Connection* const row = net::find_connection(flow.connection);
    return row != nullptr && row->transport == flow.transport && row->peer == flow.peer;
}

}  // namespace

bool active() { return g_active; }

void activate() {
    if (g_active) return;
    REQUIRE(::getrandom(g_random.data(), g_random.size(), 0) == static_cast<ssize_t>(g_random.size()));
    script::set_flow_token_writer(write);
    g_active = true;
}

bool is_refused(const Run& run) { return has_flag(run, settings.force_no_flag); }

namespace {

// What the request itself asks for (RFC 5626 5.1, 5.3).
Use asked_of(Run& run) {
    const sip::Message& message = run.message();
    const bool first_hop = message.second_via() == nullptr;
    sip::Contact contact;
    if (message.method() == sip::Method::register_)
        return first_hop && first_contact(message, contact) && contact.reg_id ? Use::source : Use::no;
    sip::Uri uri;
    if (top_route(message, uri)) {
        PeerFlow flow;
        const Token token = flow_of(uri, flow);
        if (token == Token::good && !flow.is_from(run.inbound())) return uri.ob ? Use::route : Use::no;
        if (token == Token::good || uri.ob) return Use::source;
    }
    sip::Bad bad;
    const bool wants = first_hop && first_contact(message, contact) && sip::parse_uri(contact.address.uri, uri, bad);
    return wants && uri.ob ? Use::source : Use::no;
}

}  // namespace

Use use_of(Run& run) {
    if (!run.is_request()) return Use::no;
    if (has_flag(run, settings.force_flag)) {
        const Use asked = asked_of(run);
        return asked == Use::no ? Use::forced : asked;
    }
    return is_refused(run) ? Use::no : asked_of(run);
}

std::string_view token_for(Run& run, Use use) {
    static std::string token;
    token.clear();
    sip::Uri uri;
    PeerFlow flow = PeerFlow::of(run.inbound());
    flow.only = use == Use::source;
    if (use == Use::source || use == Use::forced) write(flow, token);
    else if (use == Use::route && top_route(run.message(), uri)) token = uri.user;
    return run.arena().copy(token);
}

Token flow_of(const sip::Uri& own, PeerFlow& flow) { return read_token(own.user, key(), flow); }

bool follow(Run& run, const PeerFlow& flow) {
    script::Branch& main = run.branches.main();
    const net::Listener* const listener = listener_of(flow);
    if (!flow.only && (listener == nullptr || (is_stream(flow.transport) && !is_open(flow)))) return false;
    std::string uri = "sip:" + flow.peer.ip_in_uri() + ":" + std::to_string(flow.peer.port());
    if (flow.transport != Transport::udp) uri.append(";transport=").append(name_of(flow.transport));
    run.set_destination_uri(uri);
    if (listener != nullptr) main.socket = listener->index;
    if (is_stream(flow.transport)) main.connection = is_open(flow) ? flow.connection : kEnded;
    else if (listener == nullptr) main.connection = kEnded;
    main.flow_only = flow.only && main.connection != net::ConnectionId::none;
    return true;
}

}  // namespace kahu::outbound
