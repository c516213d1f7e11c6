// Replies on their way upstream (RFC 3261 16.7, 18.2.2).
#include <charconv>

#include "core/net/listener.h"
#include "core/script/outgoing.h"
#include "core/sip/params.h"

namespace kahu::script {
namespace {

// The element and the comma behind it, or the whole header if there is no other element in it.
void remove_top_via(const sip::Message& reply, sip::EditList& edits) {
    const sip::HeaderField& field = *reply.first(sip::HeaderId::via);
    const std::string_view element = reply.top_via()->text;
    const size_t behind = static_cast<size_t>(element.data() - field.value.data()) + element.size();
    const size_t comma = field.value.find(',', behind);
    if (comma == field.value.npos) return edits.remove_header(reply, field);
    const size_t next = field.value.find_first_not_of(" \t\r\n", comma + 1);
    edits.replace_part(reply, field.value.substr(0, next == field.value.npos ? comma + 1 : next), {});
}

uint16_t sent_by_port(const sip::Via& via, Transport transport) {
    return via.port != 0 ? via.port : default_port(transport);
}

// What append_our_via() wrote, in hexadecimal digits.
std::optional<uint64_t> number_in(const sip::Via& ours, std::string_view name) {
    const auto param = sip::find_param(ours.params, name);
    if (!param || !param->has_value) return std::nullopt;
    uint64_t number = 0;
    const char* const end = param->value.data() + param->value.size();
    const auto [at, error] = std::from_chars(param->value.data(), end, number, 16);
    if (error != std::errc{} || at != end) return std::nullopt;
    return number;
}

}  // namespace

bool top_via_is_ours(const sip::Message& reply) {
    const sip::Via* const via = reply.top_via();
    if (via == nullptr) return false;
    const auto transport = transport_named(via->transport);
    const uint16_t port = via->port != 0 || !transport ? via->port : default_port(*transport);
    return net::is_myself(via->bare_host(), port, transport ? &*transport : nullptr);
}

net::ConnectionId connection_in_via(const sip::Via& ours) {
    return net::ConnectionId{number_in(ours, "i").value_or(0)};
}

std::optional<uint16_t> listener_in_via(const sip::Via& ours) {
    const auto number = number_in(ours, "l");
    if (!number || *number >= net::listeners().size()) return std::nullopt;
    return static_cast<uint16_t>(*number);
}

bool build_relayed_reply(Run& run, std::string& out) {
    const sip::Message& reply = run.message();
    if (reply.is_request() || reply.top_via() == nullptr || reply.second_via() == nullptr) return false;
    static sip::EditList edits;
    edits = run.edits;
    remove_top_via(reply, edits);
    const size_t begin = out.size();
    edits.apply(reply.bytes(), out);
    fix_content_length(reply, run.edits, is_stream(run.inbound().transport), begin, out);
    return true;
}

bool reply_destination(const sip::Message& reply, net::Destination& out) {
    const sip::Via* const via = reply.second_via();
    if (via == nullptr) return false;
    const auto transport = transport_named(via->transport);
    if (!transport) return false;
    out = {};
    out.transport = *transport;
    if (is_stream(*transport)) out.connection = connection_in_via(*reply.top_via());
    std::string_view host = via->bare_host();
    if (!via->received.empty()) host = via->received;
    else if (!via->maddr.empty()) host = via->maddr;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const uint16_t sent_by = sent_by_port(*via, *transport);
    const auto ip = SocketAddress::parse_ip(host, via->rport != 0 ? via->rport : sent_by);
    if (!ip) return false;
    out.address = *ip;
    // RFC 3581 4: the source port if the sender asked for it.  18.2.2: nobody listens where a connection came from.
    if (is_stream(*transport) && via->rport != 0 && net::find_connection_to(out) == net::ConnectionId::none)
        out.address.set_port(sent_by);
    return true;
}

}  // namespace kahu::script
