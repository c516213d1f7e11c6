// core/modules/corex/module.cpp -- read this file to know what corex offers.
#include "core/modules/corex/module.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/net/listener.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/sip/numbers.h"

namespace kahu::corex {
namespace {

using script::Args;
using script::Run;

int truth(bool yes) { return yes ? 1 : -1; }

// --- branches ------------------------------------------------------------------------------------------------
// "0.5" as thousandths; kNoQ for "".
bool read_q(std::string_view text, int16_t& out) {
    out = script::Branch::kNoQ;
    if (text.empty()) return true;
    if (text.front() != '0' && text.front() != '1') return false;
    int64_t thousandths = (text.front() - '0') * 1000;
    if (text.size() > 1 && (text[1] != '.' || text.size() > 5)) return false;
    int64_t worth = 100;
    for (const char digit : text.substr(std::min<size_t>(2, text.size()))) {
        if (digit < '0' || digit > '9') return false;
        thousandths += (digit - '0') * worth;
        worth /= 10;
    }
    out = static_cast<int16_t>(thousandths);
    return thousandths <= 1000;
}

// append_branch(): what $ru is now; append_branch(uri[, q]): that URI.  Either goes where $du says, as Kamailio's do.
int append_branch(Run& run, const Args& args) {
    script::Branch branch;
    sip::Uri parsed;
    const std::string_view uri = args.text(run, 0);
    if (!read_q(args.text(run, 1), branch.q)) return -1;
    const script::Branch& main = run.branches.main();
    branch.dst_uri = run.arena().copy(run.destination_uri());
    branch.path = main.path;
    branch.socket = main.socket;
    branch.flags = main.flags;
    if (uri.empty()) {
        branch.uri = run.arena().copy(run.request_uri());
        branch.connection = main.connection;
    } else {
        if (script::parse_into(uri, parsed) == nullptr) return -1;
        branch.uri = run.arena().copy(uri);
    }
    return truth(run.branches.add(branch));
}

// --- sockets -------------------------------------------------------------------------------------------------
const net::Listener* listener_named(std::string_view name) {
    for (const net::Listener& listener : net::listeners())
        if (!listener.name.empty() && listener.name == name) return &listener;
    return nullptr;
}
// "udp:127.0.0.1:5060", "tls:[::1]:5061", "127.0.0.1" (udp, 5060)
const net::Listener* listener_at(std::string_view text) {
    Transport transport = Transport::udp;
    if (const size_t colon = text.find(':'); colon != text.npos)
        if (const auto named = transport_named(text.substr(0, colon))) {
            transport = *named;
            text.remove_prefix(colon + 1);
        }
    std::string_view host;
    bool v6 = false;
    uint16_t port = 0;
    sip::Bad bad;
    if (text.empty() || sip::parse_host_port(text, false, host, v6, port, bad) != text.size()) return nullptr;
    const auto address = SocketAddress::parse_ip(host, port == 0 ? default_port(transport) : port);
    return address ? net::find_listener(transport, *address) : nullptr;
}
int use_listener(Run& run, const net::Listener* listener) {
    if (listener == nullptr) return -1;
    run.branches.main().socket = listener->index;
    return 1;
}
int set_send_socket(Run& run, const Args& args) { return use_listener(run, listener_at(args.text(run, 0))); }
int set_send_socket_name(Run& run, const Args& args) { return use_listener(run, listener_named(args.text(run, 0))); }
int is_socket_name(Run& run, const Args& args) { return truth(listener_named(args.text(run, 0)) != nullptr); }

// The message as it was received, as a datagram. No names: looking one up would make everybody wait.
int send_udp(Run& run, const Args& args) {
    std::string_view text = args.text(run, 0), host;
    sip::Uri uri;
    bool v6 = false;
    uint16_t port = 0;
    sip::Bad bad;
    if (text.empty()) text = run.destination_uri().empty() ? run.request_uri() : run.destination_uri();
    if (text.starts_with("udp:")) text.remove_prefix(4);
    if (script::parse_into(text, uri) != nullptr && uri.is_sip()) {
        host = uri.host;
        port = uri.port;
    } else if (sip::parse_host_port(text, false, host, v6, port, bad) != text.size()) {
        return -1;
    }
    const auto to = SocketAddress::parse_ip(host, port == 0 ? default_port(Transport::udp) : port);
    if (!to) return -1;
    for (const net::Listener& from : net::listeners())
        if (from.transport == Transport::udp && from.address.is_v6() == to->is_v6())
            return truth(net::send_datagram(from.index, *to, run.message().bytes()) == net::Sent::ok);
    return -1;
}

// --- questions -----------------------------------------------------------------------------------------------
int has_ruri_user(Run& run, const Args&) {
    const sip::Uri* const uri = run.parsed_request_uri();
    return truth(uri != nullptr && !uri->user.empty());
}
int has_user_agent(Run& run, const Args&) {
    const sip::HeaderField* const field = run.message().first(sip::HeaderId::user_agent);
    return truth(field != nullptr && !field->value.empty());
}

// --- settings ------------------------------------------------------------------------------------------------
TextSetting g_dns_cache;

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"append_branch", 0, 2, "([string uri[, string q]])",
     "Adds a branch: the URI, or what $ru and $du are now. False if there are too many.", kRequests, append_branch},
    {"append_branch_uri", 1, 1, "(string uri)", "Adds a branch with that URI.", kRequests, append_branch},
    {"append_branch_uri_q", 2, 2, "(string uri, string q)", "Adds a branch with that URI and priority.", kRequests,
     append_branch},
    {"set_send_socket", 1, 1, "(string socket)",
     "Sends from that socket of ours: proto:address:port. False if we do not listen there.", kRequests | kBranchRoute,
     set_send_socket},
    {"set_send_socket_name", 1, 1, "(string name)", "Sends from the socket of ours that has this name.",
     kRequests | kBranchRoute, set_send_socket_name},
    {"is_socket_name", 1, 1, "(string name)", "True if a socket of ours has this name.", kAnyRoute, is_socket_name},
    {"send", 0, 1, "([string address[:port]])",
     "Sends the message as it was received as a datagram; without an argument to $du or $ru. Addresses only, no names.",
     kRequests, send_udp},
    {"send_udp", 0, 1, "([string address[:port]])", "The same as send().", kRequests, send_udp},
    {"has_ruri_user", 0, 0, "()", "True if the Request-URI has a user.", kRequests | kBranchRoute, has_ruri_user},
    {"has_user_agent", 0, 0, "()", "True if there is a User-Agent that is not empty.", kAnyRoute, has_user_agent},
};

const Param kParams[] = {
    {.name = "dns_cache",
     .kind = ParamKind::text,
     .text = &g_dns_cache,
     .help = "Kamailio: records put into its DNS cache at start.",
     .remark = "has no effect: use /etc/hosts"},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "corex",
    .summary = "Branches, the socket to send from, questions about the message.",
    .params = kParams,
    .functions = kFunctions,
    .description =
        "The RPC commands corex.* need no module here. Options of Kamailio's corex that change how the core reads and "
        "sends (network I/O interception) do not exist.",
};

}  // namespace kahu::corex
