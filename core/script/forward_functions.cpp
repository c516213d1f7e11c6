// Core functions that send messages on, and those that say how.
#include "core/base/text.h"
#include "core/net/connect.h"
#include "core/net/listener.h"
#include "core/script/core_functions.h"
#include "core/script/function.h"
#include "core/script/outgoing.h"
#include "core/script/run.h"
#include "core/sip/uri.h"

namespace kahu::script {
namespace {

constexpr int kTrue = 1, kFalse = -1;

// --- forward ---------------------------------------------------------------------------------------------
// "10.0.0.1", "host:5060", "tcp:host:5060", "sip:host", and Kamailio's words uri:host and uri:port.
std::string_view target_uri(Run& run, const Args& args) {
    std::string_view host = text::trim(args.text(run, 0));
    if (host.empty() || host == "uri:host") return {};
    if (text::iequals(host.substr(0, 4), "sip:") || text::iequals(host.substr(0, 5), "sips:")) return host;
    std::string_view transport;
    if (const size_t colon = host.find(':'); colon != host.npos && transport_named(host.substr(0, colon))) {
        transport = host.substr(0, colon);
        host.remove_prefix(colon + 1);
    }
    const bool bare_v6 = sip::is_ipv6_text(host);
    const auto port = args.integer(run, 1);
    TextBuilder uri(run.arena());
    uri.append("sip:").append(bare_v6 ? "[" : "").append(host).append(bare_v6 ? "]" : "");
    if (port && *port > 0) uri.append(':').decimal(*port);
    if (!transport.empty()) uri.append(";transport=").append(transport);
    return uri.take();
}

int forward_by(Run& run, const Args& args, std::optional<Transport> by) {
    return forward_stateless(run, target_uri(run, args), by) ? kTrue : kFalse;
}
int forward(Run& run, const Args& args) { return forward_by(run, args, std::nullopt); }
template <Transport by>
int forward_over(Run& run, const Args& args) {
    return forward_by(run, args, by);
}

// --- how ---------------------------------------------------------------------------------------------------
int set_forward_no_connect(Run& run, const Args&) {
    run.forward_no_connect = true;
    return kTrue;
}
int set_reply_no_connect(Run& run, const Args&) {
    run.reply_no_connect = true;
    return kTrue;
}
int add_local_rport(Run& run, const Args&) {
    run.add_local_rport = true;
    return kTrue;
}

// "udp:10.0.0.1:5060", "10.0.0.1:5060", "10.0.0.1", or the name of a listen statement.
const net::Listener* listener_named(std::string_view text) {
    std::optional<Transport> transport;
    for (const net::Listener& each : net::listeners())
        if (!each.name.empty() && each.name == text) return &each;
    if (const size_t colon = text.find(':'); colon != text.npos && (transport = transport_named(text.substr(0, colon))))
        text.remove_prefix(colon + 1);
    std::string_view host;
    bool v6 = false;
    uint16_t port = 0;
    sip::Bad bad;
    if (sip::parse_host_port(text, false, host, v6, port, bad) != text.size()) return nullptr;
    if (v6) host = host.substr(1, host.size() - 2);
    const auto ip = SocketAddress::parse_ip(host);
    for (const net::Listener& each : net::listeners())
        if ((!transport || each.transport == *transport) && ip && each.address.same_ip(*ip) &&
            (port == 0 || each.address.port() == port))
            return &each;
    return nullptr;
}
int force_send_socket(Run& run, const Args& args) {
    const net::Listener* const listener = listener_named(text::trim(args.text(run, 0)));
    if (listener == nullptr) return kFalse;
    run.branches.main().socket = listener->index;
    return kTrue;
}

// RFC 5923: what comes for the port in the sender's Via may go over the connection that it opened.
int force_tcp_alias(Run& run, const Args& args) {
    const sip::Via* const via = run.message().top_via();
    if (via == nullptr || !is_stream(run.inbound().transport)) return kFalse;
    const auto given = args.integer(run, 0);
    const uint16_t named = via->port != 0 ? via->port : default_port(run.inbound().transport);
    const auto port = given && *given > 0 && *given < 65536 ? static_cast<uint16_t>(*given) : named;
    return net::accept_alias(run.inbound().connection, via->bare_host(), port) ? kTrue : kFalse;
}

// --- what we say of ourselves ------------------------------------------------------------------------------
bool is_host(std::string_view text) {
    std::string_view host;
    bool v6 = false;
    uint16_t port = 0;
    sip::Bad bad;
    return sip::parse_host_port(text, false, host, v6, port, bad) == text.size() && port == 0;
}
int set_advertised_address(Run& run, const Args& args) {
    const std::string_view host = text::trim(args.text(run, 0));
    if (!host.empty() && !is_host(host)) return kFalse;
    run.advertised_host = run.arena().copy(host);
    return kTrue;
}
int set_advertised_port(Run& run, const Args& args) {
    const auto port = args.integer(run, 0);
    if (!port || *port < 1 || *port > 65535) return kFalse;
    run.advertised_port = run.arena().decimal(*port);
    return kTrue;
}

// --- branches -------------------------------------------------------------------------------------------------
int clear_branches(Run& run, const Args&) {
    run.branches.clear_others();
    return kTrue;
}
int remove_branch(Run& run, const Args& args) {
    const int64_t index = args.number(run, 0, -1);
    if (index < 0 || static_cast<size_t>(index) >= run.branches.others().size()) return kFalse;
    run.branches.remove(static_cast<size_t>(index));
    return kTrue;
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;
constexpr std::string_view kTarget = "([string host[:port][, int port]])";

constexpr Function kFunctions[] = {
    {"forward", 0, 2, kTarget,
     "Sends the request on without a transaction: to $du or the Request-URI, or where it says.", kRequests, forward},
    {"forward_udp", 0, 2, kTarget, "As forward(), over UDP.", kRequests, forward_over<Transport::udp>},
    {"forward_tcp", 0, 2, kTarget, "As forward(), over TCP.", kRequests, forward_over<Transport::tcp>},
    {"forward_tls", 0, 2, kTarget, "As forward(), over TLS.", kRequests, forward_over<Transport::tls>},
    {"set_forward_no_connect", 0, 0, "()", "The message goes over a connection that is open, or not at all.", kAnyRoute,
     set_forward_no_connect},
    {"set_reply_no_connect", 0, 0, "()", "Replies go over a connection that is open, or not at all.", kAnyRoute,
     set_reply_no_connect},
    {"add_local_rport", 0, 0, "()", "Our own Via asks for rport (RFC 3581).", kRequests, add_local_rport},
    {"force_send_socket", 1, 1, "(string socket)", "The request leaves by that listening socket.", kAnyRoute,
     force_send_socket},
    {"set_send_socket", 1, 1, "(string socket)", "The same as force_send_socket().", kAnyRoute, force_send_socket},
    {"set_advertised_address", 1, 1, "(string host)", "Host in our Via of this message, instead of the listener's.",
     kAnyRoute, set_advertised_address},
    {"set_advertised_port", 1, 1, "(int port)", "Port in our Via of this message.", kAnyRoute, set_advertised_port},
    {"clear_branches", 0, 0, "()", "Forgets all further targets.", kRequests, clear_branches},
    {"remove_branch", 1, 1, "(int index)", "Forgets one further target; the first is 0.", kRequests, remove_branch},
    {"force_tcp_alias", 0, 1, "([int port])",
     "Uses the connection the request came on for what goes to the port in its Via (RFC 5923).", kRequests,
     force_tcp_alias},
    {"add_tcp_alias", 0, 1, "([int port])", "The same as force_tcp_alias().", kRequests, force_tcp_alias},
};

}  // namespace

std::span<const Function> forward_functions() { return kFunctions; }

}  // namespace kahu::script
