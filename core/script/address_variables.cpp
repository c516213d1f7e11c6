// core/script/address_variables.cpp -- where the message came from and where it arrived.
#include "core/net/listener.h"
#include "core/script/addresses.h"
#include "core/script/core_variables.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;

void append_ip(TextBuilder& out, const SocketAddress& address, bool brackets) {
    char text[kIpTextBytes];
    const std::string_view ip = ip_text(address, text);
    if (brackets && address.is_v6()) out.append('[').append(ip).append(']');
    else out.append(ip);
}

Value ip(Run& run, const SocketAddress& address, bool brackets) {
    TextBuilder out(run.arena());
    append_ip(out, address, brackets);
    return Value::of(out.take());
}

// sip:10.0.0.1:5060;transport=tls
Value uri(Run& run, const SocketAddress& address, bool always_transport) {
    const Transport transport = run.inbound().transport;
    TextBuilder out(run.arena());
    out.append("sip:");
    append_ip(out, address, true);
    out.append(':').decimal(address.port());
    if (always_transport || transport != Transport::udp) out.append(";transport=").append(name_of(transport));
    return Value::of(out.take());
}

// tls:10.0.0.1:5061
Value socket(Run& run, const SocketAddress& address) {
    TextBuilder out(run.arena());
    out.append(name_of(run.inbound().transport)).append(':');
    append_ip(out, address, true);
    return Value::of(out.append(':').decimal(address.port()).take());
}

const net::Listener* listener(Run& run) {
    const auto all = net::listeners();
    const size_t index = run.inbound().listener;
    return index < all.size() ? &all[index] : nullptr;
}

Value advertised_ip(Run& run, const Use&) {
    const net::Listener* const at = listener(run);
    if (at == nullptr || at->advertise_host.empty()) return ip(run, run.inbound().local, true);
    return Value::of(std::string_view(at->advertise_host));
}
Value advertised_port(Run& run, const Use&) {
    const net::Listener* const at = listener(run);
    return Value::of(int64_t{at == nullptr ? run.inbound().local.port() : at->public_port()});
}
// The local socket as the outside sees it: sip:host:port;transport=tls, or tls:host:port.
Value advertised(Run& run, std::string_view before, bool with_transport) {
    const net::Listener* const at = listener(run);
    TextBuilder out(run.arena());
    out.append(before);
    if (at == nullptr || at->advertise_host.empty()) append_ip(out, run.inbound().local, true);
    else out.append(at->advertise_host);
    out.append(':').decimal(at == nullptr ? run.inbound().local.port() : at->public_port());
    if (with_transport) out.append(";transport=").append(name_of(run.inbound().transport));
    return Value::of(out.take());
}
Value advertised_uri(Run& run, const Use&) {
    return advertised(run, "sip:", run.inbound().transport != Transport::udp);
}
Value advertised_uri_full(Run& run, const Use&) { return advertised(run, "sip:", true); }
Value advertised_socket(Run& run, const Use&) {
    const std::string_view transport = name_of(run.inbound().transport);
    return advertised(run, TextBuilder(run.arena()).append(transport).append(':').take(), false);
}
Value listener_name(Run& run, const Use&) {
    const net::Listener* const at = listener(run);
    return at == nullptr || at->name.empty() ? Value::none() : Value::of(std::string_view(at->name));
}

Value source_ip(Run& run, const Use&) { return ip(run, run.inbound().source, false); }
Value source_ip_brackets(Run& run, const Use&) { return ip(run, run.inbound().source, true); }
Value source_port(Run& run, const Use&) { return Value::of(int64_t{run.inbound().source.port()}); }
Value source_uri(Run& run, const Use&) { return uri(run, run.inbound().source, false); }
Value source_uri_full(Run& run, const Use&) { return uri(run, run.inbound().source, true); }
Value source_socket(Run& run, const Use&) { return socket(run, run.inbound().source); }
Value local_ip(Run& run, const Use&) { return ip(run, run.inbound().local, false); }
Value local_port(Run& run, const Use&) { return Value::of(int64_t{run.inbound().local.port()}); }
Value local_uri(Run& run, const Use&) { return uri(run, run.inbound().local, false); }
Value local_uri_full(Run& run, const Use&) { return uri(run, run.inbound().local, true); }
Value protocol(Run& run, const Use&) { return Value::of(name_of(run.inbound().transport)); }
Value protocol_number(Run& run, const Use&) { return Value::of(transport_number(run.inbound().transport)); }
Value family(Run& run, const Use&) { return Value::of(int64_t{run.inbound().source.is_v6() ? 6 : 4}); }
Value connection(Run& run, const Use&) {
    const auto id = static_cast<int64_t>(run.inbound().connection);
    return id == 0 ? Value::none() : Value::of(id);
}

constexpr Variable kVariables[] = {
    {"si", "Source address.", source_ip},
    {"src_ip", "The same as $si.", source_ip},
    {"siz", "Source address, IPv6 in brackets.", source_ip_brackets},
    {"sp", "Source port.", source_port},
    {"su", "Source as a URI; the transport is left out for UDP.", source_uri},
    {"sut", "Source as a URI with its transport.", source_uri_full},
    {"sas", "Source as proto:address:port.", source_socket},
    {"Ri", "Local address the message arrived at.", local_ip},
    {"Rp", "Local port the message arrived at.", local_port},
    {"Ru", "Local socket as a URI; the transport is left out for UDP.", local_uri},
    {"Rut", "Local socket as a URI with its transport.", local_uri_full},
    {"Rn", "Name of the socket the message arrived at.", listener_name},
    {"RAi", "Advertised address of the socket the message arrived at.", advertised_ip},
    {"RAp", "Advertised port of the socket the message arrived at.", advertised_port},
    {"RAu", "Advertised socket as a URI; the transport is left out for UDP.", advertised_uri},
    {"RAut", "Advertised socket as a URI with its transport.", advertised_uri_full},
    {"Ras", "Advertised socket as proto:address:port.", advertised_socket},
    {"proto", "Transport: udp, tcp, tls.", protocol},
    {"pr", "The same as $proto.", protocol},
    {"prid", "Transport as a number: UDP 1, TCP 2, TLS 3.", protocol_number},
    {"af", "IP version of the source: 4 or 6.", family},
    {"conid", "Number of the TCP or TLS connection.", connection},
};

}  // namespace

std::span<const Variable> address_variables() { return kVariables; }

}  // namespace kahu::script
