// core/modules/path/module.cpp -- read this file to know what path offers.
#include "core/modules/path/module.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/modules/outbound/api.h"
#include "core/modules/path/api.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/sip/params.h"
#include "core/sip/quoting.h"

namespace kahu::path {
namespace {

using script::Args;
using script::Run;

IntSetting g_use_received{0}, g_received_format{0}, g_enable_r2{0}, g_sockname_mode{0};
TextSetting g_received_name{"received"};
bool g_loaded = false;

constexpr int kTrue = 1, kFalse = -1;

// --- add_path() --------------------------------------------------------------------------------------------------
// Goes into a URI between angle brackets: nothing may end it, nor be one of the marks in Run::path_lines.
bool fits_into_uri(std::string_view text) {
    return text.find_first_of("<>\"@ ,") == text.npos &&
           std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20; });
}

enum class Received : uint8_t { no, yes };

void append_received(const Run& run, script::TextBuilder& out) {
    const net::Inbound& from = run.inbound();
    out.append(";").append(g_received_name.get()).append("=");
    if (g_received_format != 0) {
        out.append(from.source.ip_in_uri()).append("~").decimal(from.source.port());
        out.append("~").decimal(script::transport_number(from.transport));
        return;
    }
    out.append("sip:").append(from.source.ip_in_uri()).append(":").decimal(from.source.port());
    if (from.transport != Transport::udp) out.append("%3Btransport%3D").append(name_of(from.transport));
}

struct Uri {
    std::string_view user, params;
    bool received = false, ob = false;
};

// One value, or two: with the address that the request leaves by, and with the one that it came by.
int add(Run& run, const Uri& uri) {
    if (!fits_into_uri(uri.user) || !fits_into_uri(uri.params)) return kFalse;
    script::TextBuilder lines(run.arena());
    const std::string_view marks = g_sockname_mode != 0 ? "\3\4" : "\1\2";
    for (size_t i = 0; i < (g_enable_r2 != 0 ? 2u : 1u); ++i) {
        lines.append("Path: <sip:").append(uri.user).append(uri.user.empty() ? "" : "@").append(marks.substr(i, 1));
        lines.append(";lr");
        if (uri.received) append_received(run, lines);
        if (uri.ob) lines.append(";ob");
        if (!uri.params.empty()) lines.append(";").append(uri.params);
        lines.append(g_enable_r2 != 0 ? ";r2=on>\r\n" : ">\r\n");
    }
    run.path_lines = lines.append(run.path_lines).take();
    return kTrue;
}

int add_path_with(Run& run, const Args& args, Received received) {
    Uri uri;
    uri.received = received == Received::yes;
    if (args.size() > 0) {
        uri.user = run.arena().copy(args.text(run, 0));
        uri.params = run.arena().copy(args.text(run, 1));
        return add(run, uri);
    }
    if (outbound::active()) {
        const outbound::Use use = outbound::use_of(run);
        // What stands in Path is where the REGISTER came from; ;ob if the phone itself is there (RFC 5626 5.1).
        if (use != outbound::Use::no) {
            uri.user = outbound::token_for(run, use == outbound::Use::route ? outbound::Use::source : use);
            uri.ob = run.message().second_via() == nullptr;
        }
    }
    return add(run, uri);
}
int add_path(Run& run, const Args& args) { return add_path_with(run, args, Received::no); }
int add_path_received(Run& run, const Args& args) { return add_path_with(run, args, Received::yes); }

// --- the way back --------------------------------------------------------------------------------------------------
// "10.0.0.1~5060~2" -> "sip:10.0.0.1:5060;transport=tcp"
std::optional<std::string> uri_of_alias(std::string_view alias) {
    const auto parts = text::split(alias, '~');
    if (parts.size() != 3 || parts[0].empty()) return std::nullopt;
    const auto port = text::to_int(parts[1]), number = text::to_int(parts[2]);
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        if (!number || *number != script::transport_number(transport)) continue;
        std::string uri = "sip:" + std::string(parts[0]) + ":" + std::to_string(*port);
        return transport == Transport::udp ? uri : uri + ";transport=" + std::string(name_of(transport));
    }
    return std::nullopt;
}

Status check_name(const ParamValue& value) {
    const auto* const name = std::get_if<std::string>(&value);
    if (name == nullptr || name->empty() || !fits_into_uri(*name) || name->find_first_of(";=:") != name->npos)
        return Error{Errc::invalid, "not the name of a URI parameter", "for instance \"received\""};
    return {};
}
Status check() {
    g_loaded = true;
    return {};
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;
constexpr std::string_view kArgs = "([string user[, string parameters]])";

constexpr Function kFunctions[] = {
    {"add_path", 0, 2, kArgs,
     "Adds Path with our own address, so that what is sent to the phone comes through here (RFC 3327).  Without a "
     "user, "
     "and with module outbound, the URI leads to the flow that the request came over.",
     kRequests, add_path},
    {"add_path_received", 0, 2, kArgs, "As add_path(), and says where the request came from.", kRequests,
     add_path_received},
};

// clang-format off
const Param kParams[] = {
    {.name = "use_received", .kind = ParamKind::boolean, .number = &g_use_received,
     .help = "loose_route() sends where ;received of our own Route value says."},
    {.name = "received_format", .number = &g_received_format, .min = 0, .max = 1,
     .help = "How ;received is written: 0 as an escaped URI, 1 as address~port~transport."},
    {.name = "received_name", .kind = ParamKind::text, .text = &g_received_name, .accept = check_name,
     .help = "Name of that parameter."},
    {.name = "enable_r2", .kind = ParamKind::boolean, .number = &g_enable_r2,
     .help = "Two values, with the addresses that the request leaves by and came by, marked ;r2=on."},
    {.name = "sockname_mode", .kind = ParamKind::boolean, .number = &g_sockname_mode,
     .help = "Names the socket in the URI (;sn=)."},
};
// clang-format on

}  // namespace

bool active() { return g_loaded && g_use_received != 0; }

std::optional<std::string> received_in(std::string_view params) {
    const auto received = sip::find_param(params, g_received_name.get());
    if (!received || received->value.empty()) return std::nullopt;
    sip::Uri uri;
    std::string plain;
    std::optional<std::string> found;
    if (g_received_format != 0) found = uri_of_alias(received->value);
    else found = std::string(sip::unescape(received->value, plain));
    if (!found || script::parse_into(*found, uri) == nullptr || !uri.is_sip()) return std::nullopt;
    return found;
}

const ModuleDescriptor kModule{
    .name = "path",
    .summary = "Path: an edge proxy puts itself on the way from a registrar to the phone (RFC 3327).",
    .params = kParams,
    .functions = kFunctions,
    .hooks = {.check = check},
    .description =
        "add_path() only notes the wish: the header is written when the outgoing socket is known, before any other "
        "Path.\n\n"
        "With module outbound the URI carries the token of the flow that the REGISTER came over, and loose_route() "
        "sends "
        "what the registrar has for the phone over that flow.",
};

}  // namespace kahu::path
