#include "core/script/outgoing.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/net/listener.h"
#include "core/net/settings.h"
#include "core/script/addresses.h"
#include "core/script/flows.h"
#include "core/script/message_facts.h"
#include "core/script/params.h"
#include "core/sip/builder.h"
#include "mem/contract.h"

namespace kahu::script {
namespace {

constexpr std::string_view kMostHops = "Max-Forwards: 70\r\n";  // RFC 3261 16.6.3

// Where `transport` goes by the port alone, it is left out: shorter, and what peers of Kamailio are used to.
void append_host_port(const net::Listener& listener, std::string& out) {
    out += listener.public_host();
    if (listener.public_port() != default_port(listener.transport)) {
        out += ':';
        sip::Writer(out).number(listener.public_port());
    }
}

bool has_several_datagram_sockets() {
    const auto is_udp = [](const net::Listener& each) { return each.transport == Transport::udp; };
    return std::ranges::count_if(net::listeners(), is_udp) > 1;
}

// --- Via -------------------------------------------------------------------------------------------------
void append_our_via(const Run& run, const OutgoingRequest& how, const net::Listener& from, std::string& out) {
    out.append("Via: SIP/2.0/").append(upper_name_of(how.to->transport)).append(" ");
    if (run.advertised_host.empty() && run.advertised_port.empty()) {
        append_host_port(from, out);
    } else {
        out.append(run.advertised_host.empty() ? from.public_host() : run.advertised_host);
        const std::string_view port = run.advertised_port;
        if (!port.empty()) out.append(":").append(port);
        else if (from.public_port() != default_port(from.transport))
            out.append(":").append(std::to_string(from.public_port()));
    }
    out.append(";branch=").append(how.branch);
    if (run.add_local_rport || params::local_rport != 0) out.append(";rport");
    // A reply must find the connection that the request came on, whatever port its Via names; or the socket.
    const auto connection = static_cast<uint64_t>(run.inbound().connection);
    if (connection != 0) fmt::format_to(std::back_inserter(out), ";i={:x}", connection);
    else if (from.index != run.inbound().listener && has_several_datagram_sockets())
        fmt::format_to(std::back_inserter(out), ";l={:x}", run.inbound().listener);
    out.append("\r\n");
}

// RFC 3261 18.2.1, RFC 3581 4: the sender's own Via tells where its request really came from.
void mark_source(Run& run, sip::EditList& edits) {
    const sip::Message& message = run.message();
    const sip::Via* const via = message.top_via();
    if (via == nullptr) return;
    char ip[kIpTextBytes];
    static std::string marked;
    marked.clear();
    const SocketAddress& source = run.inbound().source;
    sip::append_via_with_source(*via, ip_text(source, ip), source.port(), marked, run.force_rport);
    if (marked != via->text) edits.replace_part(message, via->text, marked);
}

// --- Record-Route ----------------------------------------------------------------------------------------
struct RouteUri {
    bool sips = false, doubled = false;
};

void append_transport(const net::Listener& listener, std::string& out) {
    if (listener.transport != Transport::udp) out.append(";transport=").append(name_of(listener.transport));
}
void append_socket_name(const net::Listener& listener, std::string& out) {
    if (!listener.name.empty()) out.append(";sn=").append(listener.name);
}

void append_record_route(const Run::RecordRoute& wanted, const net::Listener& listener, std::string_view token,
                         std::string_view preset, const RouteUri& form, std::string& out) {
    out.append("Record-Route: <").append(form.sips ? "sips:" : "sip:");
    if (const std::string_view user = token.empty() ? wanted.user : token; !user.empty()) out.append(user).append("@");
    if (!preset.empty()) {
        out.append(preset);
    } else {
        if (wanted.advertised.empty()) append_host_port(listener, out);
        else out.append(wanted.advertised);
        // RFC 5630 3.1.3: sips says it all.
        if (!form.sips) append_transport(listener, out);
        if (wanted.socket_names) append_socket_name(listener, out);
    }
    if (form.doubled) out.append(";r2=on");
    out.append(wanted.params).append(">\r\n");
}

// Who asks by sips shall come back over TLS, whatever carried the request here.
const net::Listener& caller_side(const Run& run, bool came_as_sips) {
    const net::Listener& in_by = net::listeners()[run.inbound().listener];
    if (!came_as_sips || in_by.transport == Transport::tls) return in_by;
    for (const net::Listener& each : net::listeners())
        if (each.transport == Transport::tls && each.address.same_ip(in_by.address)) return each;
    return in_by;
}

// What the callee's side shall use comes first: its topmost Record-Route is the hop next to it.
// RFC 3261 16.6.4, RFC 5630 5.3: sips towards each side that used it, and then two where the sides differ.
void append_record_routes(Run& run, const OutgoingRequest& how, bool goes_as_sips, std::string& out) {
    const Run::RecordRoute& wanted = run.record_route;
    const bool sips = goes_as_sips && !wanted.ignore_sips;
    const bool came_as_sips = is_sips(run.message().request_uri()) && !wanted.ignore_sips;
    const net::Listener& in_by = caller_side(run, came_as_sips);
    const net::Listener& out_by = net::listeners()[how.to->listener];
    static std::string called;  // the token of the side that is called
    called = wanted.flow_out;
    const bool has_connection = how.to->connection != net::ConnectionId::none;
    const bool has_flow = how.phone == Phone::outbound ? has_connection || !is_stream(how.to->transport)
                                                       : how.phone == Phone::registered && has_connection;
    if (called.empty() && wanted.flows_to != Phone::no && how.phone >= wanted.flows_to && has_flow &&
        flow_token_writer() != nullptr)
        flow_token_writer()(
            {how.to->transport, out_by.address, how.to->address, how.to->connection, how.phone == Phone::outbound},
            called);
    const bool two_flows = !called.empty() && !wanted.flow_in.empty();
    const bool differ = in_by.index != out_by.index || came_as_sips != sips;
    const bool doubled =
        two_flows || (wanted.doubled && (differ || wanted.always_doubled || !wanted.presets[1].empty()));
    const std::string_view outer = doubled || !called.empty() ? std::string_view(called) : wanted.flow_in;
    append_record_route(wanted, out_by, outer, wanted.presets[0], {sips, doubled}, out);
    const std::string_view preset = wanted.presets[wanted.presets[1].empty() ? 0 : 1];
    if (!doubled) return;
    const bool caller_by_sips = came_as_sips && in_by.transport == Transport::tls;
    append_record_route(wanted, in_by, wanted.flow_in, preset, {caller_by_sips, doubled}, out);
}

// --- Path: what add_path() noted, with the addresses that are known now --------------------------------------
void append_path(Run& run, const net::Listener& out_by, std::string& out) {
    for (const char c : run.path_lines) {
        if (c < 1 || c > 4) {
            out += c;
            continue;
        }
        const net::Listener& listener = c % 2 == 1 ? out_by : net::listeners()[run.inbound().listener];
        append_host_port(listener, out);
        append_transport(listener, out);
        if (c > 2) append_socket_name(listener, out);
    }
}

}  // namespace

void fix_content_length(const sip::Message& message, const sip::EditList& edits, bool stream, size_t begin,
                        std::string& out) {
    const bool had = message.has(sip::HeaderId::content_length) || edits.inserts("content-length:");
    const bool body_changed = edits.changes_from(message.head().size());
    if (had ? !body_changed : !stream) return;
    const std::string_view made = std::string_view(out).substr(begin);
    const size_t head = sip::head_bytes(made);
    if (head == made.npos) return;
    const size_t body = made.size() - head;
    if (!had) {
        const size_t empty_line = head - (made[head - 2] == '\r' ? 2 : 1);
        out.insert(begin + empty_line, fmt::format("Content-Length: {}\r\n", body));
        return;
    }
    static sip::Message edited;
    sip::Bad ignored;
    (void)edited.parse(made, ignored);
    const sip::HeaderField* const field = edited.first(sip::HeaderId::content_length);
    if (field == nullptr) return;
    const auto at = static_cast<size_t>(field->value.data() - out.data());
    out.replace(at, field->value.size(), std::to_string(body));
}

const sip::Uri* next_hop(std::string_view request_uri, std::string_view destination_uri, sip::Uri& into) {
    const sip::Uri* const uri = parse_into(destination_uri.empty() ? request_uri : destination_uri, into);
    return uri != nullptr && uri->is_sip() ? uri : nullptr;
}
const sip::Uri* next_hop(Run& run, sip::Uri& into) { return next_hop(run.request_uri(), run.destination_uri(), into); }

bool question_for(const sip::Uri& hop, bool sips, net::Question& out) {
    out = {};
    out.sips = sips || hop.scheme == sip::Scheme::sips;
    out.server_name = hop.bare_host();
    out.host = hop.maddr.empty() ? out.server_name : hop.maddr;
    out.port = hop.port;
    if (!hop.transport.empty()) {
        out.transport = transport_named(hop.transport);
        if (!out.transport) return false;
    }
    return !out.host.empty();
}

void build_request(Run& run, const OutgoingRequest& how, std::string& out) {
    REQUIRE(how.to != nullptr && how.to->listener < net::listeners().size());
    const sip::Message& message = run.message();
    const net::Listener& from = net::listeners()[how.to->listener];
    const std::string_view uri = how.request_uri.empty() ? run.request_uri() : how.request_uri;

    static std::string front;  // what stands before the headers that were received
    front.clear();
    sip::Writer(front).request_line(message.method_name(), uri);
    append_our_via(run, how, from, front);
    const bool sips = is_sips(uri) || is_sips(run.destination_uri());
    if (run.record_route.wanted) append_record_routes(run, how, sips, front);
    append_path(run, from, front);
    front.append(how.extra_headers);

    static sip::EditList edits;
    edits = run.edits;
    mark_source(run, edits);
    if (!message.has(sip::HeaderId::max_forwards) && !edits.inserts("max-forwards:")) front.append(kMostHops);
    if (how.max_breadth != 0) {
        for (const auto* field = message.first(sip::HeaderId::max_breadth); field; field = message.next(field))
            edits.remove_header(message, *field);
        sip::Writer(front).text("Max-Breadth: ").number(static_cast<uint64_t>(how.max_breadth)).crlf();
    }
    edits.replace(0, message.start_line().size(), front);
    const size_t begin = out.size();
    edits.apply(message.bytes(), out);
    fix_content_length(message, run.edits, is_stream(how.to->transport), begin, out);
}

void build_request_that_fits(Run& run, OutgoingRequest how, net::Destination& to, std::string& out) {
    const size_t begin = out.size();
    how.to = &to;
    build_request(run, how, out);
    const auto limit = static_cast<size_t>(net::settings.udp_mtu);
    if (to.transport != Transport::udp || limit == 0 || out.size() - begin <= limit) return;
    net::Destination other = to;
    other.transport = transport_named(net::settings.udp_mtu_try_proto.get()).value_or(Transport::udp);
    if (other.transport == Transport::udp || !net::choose_listener(other)) return;
    to = other;
    out.resize(begin);
    build_request(run, how, out);
}

}  // namespace kahu::script
