// core/script/sip_transformations.cpp -- the classes uri.*, nameaddr.*, tobody.* and sock.*: texts that SIP knows.
//
// RULES  What the text does not have is "", as in Kamailio; a text that is no URI (no name-addr) is null.
#include "core/base/text.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/text_parts.h"
#include "core/script/transformation.h"
#include "core/sip/name_addr.h"
#include "core/sip/params.h"

namespace kahu::script {
namespace {

using Use = TransformationUse;

// --- uri.* -----------------------------------------------------------------------------------------------
template <Value (*part)(Run&, const Use&, const sip::Uri&)>
Value of_uri(Run& run, const Use& use, const Value& value) {
    if (value.is_null()) return value;
    sip::Uri uri;
    return parse_into(to_text(value, run.arena()), uri) == nullptr ? Value::none() : part(run, use, uri);
}
template <std::string_view sip::Uri::*part>
Value uri_text(Run&, const Use&, const sip::Uri& uri) {
    return Value::of(uri.*part);
}
std::string_view without_first(std::string_view text) { return text.empty() ? text : text.substr(1); }

Value uri_port_text(Run&, const Use&, const sip::Uri& uri) {
    return uri.port == 0 ? Value::of("") : Value::of(int64_t{uri.port});
}
Value uri_params(Run&, const Use&, const sip::Uri& uri) { return Value::of(without_first(uri.params)); }
Value uri_param(Run& run, const Use& use, const sip::Uri& uri) {
    return Value::of(find_text_param(uri.params, ';', use.text(run, 0)).value);
}
template <char first>
Value uri_flag_param(Run&, const Use&, const sip::Uri& uri) {
    const TextParam found = find_text_param(uri.params, ';', first == 'l' ? "lr" : "r2");
    return Value::of(found.value.empty() ? found.name : found.value);
}
Value uri_saor(Run& run, const Use&, const sip::Uri& uri) {
    TextBuilder out(run.arena());
    out.append(uri.scheme_name).append(':');
    if (uri.has_user) out.append(uri.user).append(uri.is_sip() ? "@" : "");
    return Value::of(out.append(uri.host).take());
}
void append_aor_with_port(TextBuilder& out, const sip::Uri& uri) {
    out.append(uri.scheme_name).append(':');
    if (uri.has_user) out.append(uri.user).append('@');
    out.append(uri.host);
    if (uri.port != 0) out.append(':').decimal(uri.port);
    if (!uri.transport.empty()) out.append(";transport=").append(uri.transport);
}
Value uri_suri(Run& run, const Use&, const sip::Uri& uri) {
    TextBuilder out(run.arena());
    append_aor_with_port(out, uri);
    return Value::of(out.take());
}
Value uri_destination(Run& run, const Use&, const sip::Uri& uri) {
    TextBuilder out(run.arena());
    out.append(uri.scheme_name).append(':').append(uri.host);
    if (uri.port != 0) out.append(':').decimal(uri.port);
    if (!uri.transport.empty()) out.append(";transport=").append(uri.transport);
    return Value::of(out.take());
}
Value uri_socket(Run& run, const Use&, const sip::Uri& uri) {
    TextBuilder out(run.arena());
    return Value::of(
        out.append(uri_transport(uri)).append(':').append(uri.host).append(':').decimal(uri_port(uri)).take());
}

// --- nameaddr.*, tobody.* --------------------------------------------------------------------------------
template <Value (*part)(Run&, const sip::NameAddr&)>
Value of_name_addr(Run& run, const Use&, const Value& value) {
    if (value.is_null()) return value;
    sip::NameAddr party;
    sip::Bad bad;
    size_t used = 0;
    return sip::parse_name_addr(to_text(value, run.arena()), party, used, bad) ? part(run, party) : Value::none();
}
template <std::string_view sip::NameAddr::*part>
Value party_text(Run&, const sip::NameAddr& party) {
    return Value::of(party.*part);
}
Value party_length(Run&, const sip::NameAddr& party) {
    const char* const end =
        party.bracketed ? party.uri.data() + party.uri.size() + 1 : party.uri.data() + party.uri.size();
    return Value::of(static_cast<int64_t>(end - party.text.data()));
}
Value party_params(Run&, const sip::NameAddr& party) { return Value::of(without_first(party.params)); }
template <std::string_view sip::Uri::*part>
Value party_uri_part(Run&, const sip::NameAddr& party) {
    sip::Uri uri;
    return parse_into(party.uri, uri) == nullptr ? Value::none() : Value::of(uri.*part);
}

// --- urialias.*: "10.0.0.1~5061~3", the value of ;alias= in a Contact ------------------------------------------
Value alias_encode(Run& run, const Use&, const sip::Uri& uri) {
    const auto transport = transport_named(uri_transport(uri));
    if (!transport) return Value::none();
    TextBuilder out(run.arena());
    out.append(uri.host).append('~').decimal(uri_port(uri)).append('~').decimal(transport_number(*transport));
    return Value::of(out.take());
}
// The reverse.  Null if it is no alias.
Value alias_decode(Run& run, const Use&, const Value& value) {
    const std::string_view text = to_text(value, run.arena());
    const size_t last = text.rfind('~'), first = last == text.npos || last == 0 ? text.npos : text.rfind('~', last - 1);
    if (first == text.npos) return Value::none();
    const auto port = text::to_int(text.substr(first + 1, last - first - 1)),
               number = text::to_int(text.substr(last + 1));
    if (!port || *port < 0 || *port > 65535 || !number || *number < 1 || *number > 3) return Value::none();
    TextBuilder out(run.arena());
    out.append("sip:").append(text.substr(0, first)).append(':').decimal(*port);
    if (*number != 1) out.append(";transport=").append(name_of(static_cast<Transport>(*number - 1)));
    return Value::of(out.take());
}

// --- sock.*: "tls:10.0.0.1:5061" ----------------------------------------------------------------------------
struct Socket {
    std::string_view transport, host;
    int64_t port = 0;
};
bool parse_socket(std::string_view text, Socket& out) {
    const size_t first = text.find(':'), last = text.rfind(':');
    if (first == text.npos || !transport_named(text.substr(0, first))) return false;
    out.transport = text.substr(0, first);
    const bool v6_end = text.back() == ']';
    const bool has_port = last != first && !v6_end;
    out.host = text.substr(first + 1, has_port ? last - first - 1 : text.npos);
    if (has_port) out.port = to_integer(Value::of(text.substr(last + 1)));
    return !out.host.empty();
}
template <Value (*part)(Run&, const Socket&)>
Value of_socket(Run& run, const Use&, const Value& value) {
    if (value.is_null()) return value;
    Socket socket;
    return parse_socket(to_text(value, run.arena()), socket) ? part(run, socket) : Value::none();
}
Value socket_host(Run&, const Socket& socket) { return Value::of(socket.host); }
Value socket_transport(Run&, const Socket& socket) { return Value::of(socket.transport); }
Value socket_port(Run&, const Socket& socket) { return socket.port == 0 ? Value::of("") : Value::of(socket.port); }
Value socket_uri(Run& run, const Socket& socket) {
    TextBuilder out(run.arena());
    out.append("sip:").append(socket.host);
    if (socket.port != 0) out.append(':').decimal(socket.port);
    return Value::of(out.append(";transport=").append(socket.transport).take());
}

// clang-format off
constexpr Transformation kTable[] = {
    {"uri.user", 0, 0, "", "User of a URI.", of_uri<uri_text<&sip::Uri::user>>},
    {"uri.passwd", 0, 0, "", "Password of a URI.", of_uri<uri_text<&sip::Uri::password>>},
    {"uri.host", 0, 0, "", "Host of a URI.", of_uri<uri_text<&sip::Uri::host>>},
    {"uri.port", 0, 0, "", "Port of a URI; empty if none is written there.", of_uri<uri_port_text>},
    {"uri.params", 0, 0, "", "Parameters of a URI, without the first semicolon.", of_uri<uri_params>},
    {"uri.param", 1, 1, ",name", "Value of one parameter of a URI.", of_uri<uri_param>},
    {"uri.headers", 0, 0, "", "What stands behind the question mark of a URI.", of_uri<uri_text<&sip::Uri::headers>>},
    {"uri.transport", 0, 0, "", "Value of transport.", of_uri<uri_text<&sip::Uri::transport>>},
    {"uri.ttl", 0, 0, "", "Value of ttl.", of_uri<uri_text<&sip::Uri::ttl>>},
    {"uri.uparam", 0, 0, "", "Value of user.", of_uri<uri_text<&sip::Uri::user_param>>},
    {"uri.maddr", 0, 0, "", "Value of maddr.", of_uri<uri_text<&sip::Uri::maddr>>},
    {"uri.method", 0, 0, "", "Value of method.", of_uri<uri_text<&sip::Uri::method>>},
    {"uri.lr", 0, 0, "", "Value of lr, or \"lr\" if it has none.", of_uri<uri_flag_param<'l'>>},
    {"uri.r2", 0, 0, "", "Value of r2, or \"r2\" if it has none.", of_uri<uri_flag_param<'r'>>},
    {"uri.scheme", 0, 0, "", "Scheme of a URI.", of_uri<uri_text<&sip::Uri::scheme_name>>},
    {"uri.saor", 0, 0, "", "scheme:user@host.", of_uri<uri_saor>},
    {"uri.suri", 0, 0, "", "scheme:user@host:port;transport=...", of_uri<uri_suri>},
    {"uri.duri", 0, 0, "", "scheme:host:port;transport=...", of_uri<uri_destination>},
    {"uri.tosocket", 0, 0, "", "transport:host:port.", of_uri<uri_socket>},
    {"nameaddr.name", 0, 0, "", "Display name, as written.", of_name_addr<party_text<&sip::NameAddr::display>>},
    {"nameaddr.uri", 0, 0, "", "The URI.", of_name_addr<party_text<&sip::NameAddr::uri>>},
    {"nameaddr.len", 0, 0, "", "Length of display name and URI.", of_name_addr<party_length>},
    {"tobody.display", 0, 0, "", "Display name, as written.", of_name_addr<party_text<&sip::NameAddr::display>>},
    {"tobody.uri", 0, 0, "", "The URI.", of_name_addr<party_text<&sip::NameAddr::uri>>},
    {"tobody.tag", 0, 0, "", "The tag.", of_name_addr<party_text<&sip::NameAddr::tag>>},
    {"tobody.user", 0, 0, "", "User of the URI.", of_name_addr<party_uri_part<&sip::Uri::user>>},
    {"tobody.host", 0, 0, "", "Host of the URI.", of_name_addr<party_uri_part<&sip::Uri::host>>},
    {"tobody.uri.user", 0, 0, "", "User of the URI.", of_name_addr<party_uri_part<&sip::Uri::user>>},
    {"tobody.uri.host", 0, 0, "", "Host of the URI.", of_name_addr<party_uri_part<&sip::Uri::host>>},
    {"tobody.params", 0, 0, "", "Parameters of the header, without the first semicolon.", of_name_addr<party_params>},
    {"urialias.encode", 0, 0, "", "host~port~transport of a URI, as ;alias= has it.", of_uri<alias_encode>},
    {"urialias.decode", 0, 0, "", "The same as a SIP URI again.", alias_decode},
    {"sock.host", 0, 0, "", "Host of transport:host:port.", of_socket<socket_host>},
    {"sock.port", 0, 0, "", "Port of transport:host:port.", of_socket<socket_port>},
    {"sock.proto", 0, 0, "", "Transport of transport:host:port.", of_socket<socket_transport>},
    {"sock.touri", 0, 0, "", "transport:host:port as a SIP URI.", of_socket<socket_uri>},
};
// clang-format on

}  // namespace

std::span<const Transformation> sip_transformations() { return kTable; }

}  // namespace kahu::script
