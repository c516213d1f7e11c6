#include "core/modules/corex/sockets.h"

#include <string>

#include "core/net/listener.h"
#include "core/net/resolver.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/outgoing.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::corex {
namespace {

using script::Args;
using script::Run;
using script::truth;
using script::Value;

// --- sockets -------------------------------------------------------------------------------------------------
const net::Listener* listener_named(std::string_view name) {
    for (const net::Listener& listener : net::listeners())
        if (!listener.name.empty() && listener.name == name) return &listener;
    return nullptr;
}

// "udp:127.0.0.1:5060", "tls:[::1]:5061", "127.0.0.1" (udp, 5060)
struct Place {
    Transport transport = Transport::udp;
    SocketAddress address;
};
bool parse_place(std::string_view text, Place& out, Transport unsaid = Transport::udp) {
    out.transport = unsaid;
    if (const size_t colon = text.find(':'); colon != text.npos)
        if (const auto named = transport_named(text.substr(0, colon))) {
            out.transport = *named;
            text.remove_prefix(colon + 1);
        }
    std::string_view host;
    bool v6 = false;
    uint16_t port = 0;
    sip::Bad bad;
    if (text.empty() || sip::parse_host_port(text, false, host, v6, port, bad) != text.size()) return false;
    const auto address = SocketAddress::parse_ip(host, port == 0 ? default_port(out.transport) : port);
    if (address) out.address = *address;
    return address.has_value();
}
const net::Listener* listener_at(std::string_view text) {
    Place place;
    return parse_place(text, place) ? net::find_listener(place.transport, place.address) : nullptr;
}
int send_from(Run& run, const net::Listener* listener) {
    if (listener == nullptr) return -1;
    run.branches.main().socket = listener->index;
    return 1;
}
int set_send_socket(Run& run, const Args& args) { return send_from(run, listener_at(args.text(run, 0))); }
int set_send_socket_name(Run& run, const Args& args) { return send_from(run, listener_named(args.text(run, 0))); }
int is_socket_name(Run& run, const Args& args) { return truth(listener_named(args.text(run, 0)) != nullptr); }

// --- as if it had come another way -----------------------------------------------------------------------------
// Only by the same transport: replies go back on the connection, or from a socket that can reach the source.
int receive_at(Run& run, const net::Listener* listener) {
    if (listener != nullptr && listener->transport == run.inbound().transport) {
        net::Inbound as_if = run.inbound();
        as_if.local = listener->address;
        as_if.listener = listener->index;
        run.set_inbound(as_if);
    }
    return 1;  // as in Kamailio, also when there is no such socket
}
int set_recv_socket(Run& run, const Args& args) { return receive_at(run, listener_at(args.text(run, 0))); }
int set_recv_socket_name(Run& run, const Args& args) { return receive_at(run, listener_named(args.text(run, 0))); }
int set_source_address(Run& run, const Args& args) {
    net::Inbound as_if = run.inbound();
    Place place;
    if (!parse_place(args.text(run, 0), place, as_if.transport) || place.transport != as_if.transport ||
        place.address.is_v6() != as_if.source.is_v6())
        return -1;
    as_if.source = place.address;
    run.set_inbound(as_if);
    return 1;
}

// --- sending as it stands --------------------------------------------------------------------------------------
bool send_to_first(const net::Destinations& found, uint16_t listener, std::string_view bytes) {
    for (net::Destination to : found.list())
        if (net::choose_listener(to, listener) && net::send_to(to, bytes) == net::Sent::ok) return true;
    return false;
}
// True also when a name server is asked: what comes of that is known later only.
bool send_by_name(net::Question question, uint16_t listener, std::string_view bytes) {
    question.keeps = bytes.size();
    net::Destinations found;
    const net::Resolution now = net::resolve(
        question, found, [listener, kept = std::string(bytes)](net::Resolution, const net::Destinations& later) {
            (void)send_to_first(later, listener, kept);
        });
    return now == net::Resolution::pending || (now == net::Resolution::ready && send_to_first(found, listener, bytes));
}
bool send_data_to(std::string_view text, uint16_t listener, std::string_view bytes) {
    sip::Uri uri;
    net::Question question;
    if (bytes.empty() || script::parse_into(text, uri) == nullptr || !uri.is_sip() ||
        !script::question_for(uri, script::is_sips(text), question))
        return false;
    return send_by_name(question, listener, bytes);
}
int send_data(Run& run, const Args& args) {
    return truth(send_data_to(args.text(run, 0), net::kAnyListener, args.text(run, 1)));
}
int sendx(Run& run, const Args& args) {
    const net::Listener* const by = listener_at(args.text(run, 1));
    return truth(by != nullptr && send_data_to(args.text(run, 0), by->index, args.text(run, 2)));
}

// send(), send_tcp(): the message as it was received.
template <Transport transport>
int send_received(Run& run, const Args& args) {
    std::string_view text = args.text(run, 0), host;
    sip::Uri uri;
    bool v6 = false;
    uint16_t port = 0;
    sip::Bad bad;
    if (text.empty()) text = run.destination_uri().empty() ? run.request_uri() : run.destination_uri();
    if (text.starts_with("udp:") || text.starts_with("tcp:")) text.remove_prefix(4);
    net::Question question;
    if (script::parse_into(text, uri) != nullptr && uri.is_sip()) {
        if (!script::question_for(uri, false, question)) return -1;
    } else if (sip::parse_host_port(text, false, host, v6, port, bad) == text.size() && !text.empty()) {
        question.host = host;
        question.port = port;
    } else {
        return -1;
    }
    question.transport = transport;
    return truth(send_by_name(question, net::kAnyListener, run.message().bytes()));
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"set_send_socket", 1, 1, "(string socket)",
     "Sends from that socket of ours: proto:address:port. False if we do not listen there.", kAnyRoute,
     set_send_socket},
    {"set_send_socket_name", 1, 1, "(string name)", "Sends from the socket of ours that has this name.", kAnyRoute,
     set_send_socket_name},
    {"set_recv_socket", 1, 1, "(string socket)",
     "From here on the message came to that socket of ours: proto:address:port, of the same transport.", kAnyRoute,
     set_recv_socket},
    {"set_recv_socket_name", 1, 1, "(string name)", "The same, by the socket's name.", kAnyRoute, set_recv_socket_name},
    {"set_source_address", 1, 1, "(string address)",
     "From here on the message came from there: [proto:]address[:port]; false for another transport or family.",
     kAnyRoute, set_source_address},
    {"is_socket_name", 1, 1, "(string name)", "True if a socket of ours has this name.", kAnyRoute, is_socket_name},
    {"send", 0, 1, "([string host[:port]])",
     "Sends the message as it was received as a datagram; without an argument to $du or $ru.", kRequests,
     send_received<Transport::udp>},
    {"send_udp", 0, 1, "([string host[:port]])", "The same as send().", kRequests, send_received<Transport::udp>},
    {"send_tcp", 0, 1, "([string host[:port]])", "As send(), over TCP.", kRequests, send_received<Transport::tcp>},
    {"send_data", 2, 2, "(string uri, string data)", "Sends that text to where the URI says.", kAnyRoute, send_data},
    {"sendx", 3, 3, "(string uri, string socket, string data)", "As send_data(), from that socket of ours.", kAnyRoute,
     sendx},
};

// $lsock(n/s0/listen): of the socket with that name (n) or address (l), one of name, listen, advertise, index.
Value socket_attribute(Run& run, const script::VariableUse& use) {
    const std::string_view text = use.inner_text(run);
    const size_t first = text.find('/'), last = text.rfind('/');
    if (first == text.npos || first == last || last + 1 == text.size()) return Value::none();
    const std::string_view by = text.substr(0, first), value = text.substr(first + 1, last - first - 1);
    const net::Listener* const found = by == "n" ? listener_named(value) : by == "l" ? listener_at(value) : nullptr;
    if (found == nullptr) return Value::none();
    switch (text[last + 1]) {
    case 'n': return Value::of(std::string_view(found->name));
    case 'l': return Value::of(run.arena().copy(found->text()));
    case 'a':
        if (found->advertise_host.empty()) return Value::of("");
        return Value::of(script::TextBuilder(run.arena())
                             .append(name_of(found->transport))
                             .append(':')
                             .append(found->advertise_host)
                             .append(':')
                             .decimal(found->public_port())
                             .take());
    case 'i': {
        int64_t before = 0;  // Kamailio counts each transport's by themselves
        for (const net::Listener& each : net::listeners())
            if (each.transport == found->transport && each.index < found->index) ++before;
        return Value::of(before);
    }
    default: return Value::none();
    }
}

constexpr Variable kVariables[] = {
    {"lsock",
     "$lsock(n/name/field), $lsock(l/udp:address:port/field): of a socket of ours, its name, listen, advertise "
     "or index.",
     socket_attribute},
};

}  // namespace

std::span<const Function> socket_functions() { return kFunctions; }

std::span<const Variable> socket_variables() { return kVariables; }

}  // namespace kahu::corex
