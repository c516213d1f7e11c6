// core/modules/tcpops/module.cpp -- read this file to know what tcpops offers.
#include "core/modules/tcpops/module.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "core/net/connection.h"
#include "core/net/connection_events.h"
#include "core/net/destination.h"
#include "core/script/event_route.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/sip/numbers.h"

namespace kahu::tcpops {
namespace {

using net::Connection;
using net::ConnectionId;
using net::ConnectionState;
using script::Args;
using script::Run;
using script::truth;

IntSetting g_closed_event{1};
enum ClosedEvent : int64_t { kNever, kAlways, kWhenAsked };

// The connection that an argument names, or without it that of the message.
Connection* connection_of(Run& run, const Args& args, std::optional<size_t> argument) {
    if (!argument) return net::find_connection(run.inbound().connection);
    const std::optional<int64_t> number = args.integer(run, *argument);
    return number && *number > 0 ? net::find_connection(ConnectionId{static_cast<uint64_t>(*number)}) : nullptr;
}
std::optional<size_t> if_more_than(const Args& args, size_t others) {
    return args.size() > others ? std::optional<size_t>(0) : std::nullopt;
}

// Kamailio's numbers.
constexpr int kUsable = 1, kAccepting = 2, kConnecting = 3, kNone = -1, kEnding = -3;
int state(Run& run, const Args& args) {
    const Connection* const row = connection_of(run, args, 0);
    if (row == nullptr) return kNone;
    if (row->kill.load()) return kEnding;
    switch (row->state.load()) {
    case ConnectionState::established: return kUsable;
    case ConnectionState::accepted:
    case ConnectionState::connecting:
    case ConnectionState::handshaking: return row->outbound ? kConnecting : kAccepting;
    default: return kNone;
    }
}
int alive(Run& run, const Args& args) { return truth(state(run, args) > 0); }

int set_lifetime(Run& run, const Args& args) {
    Connection* const row = connection_of(run, args, if_more_than(args, 1));
    const std::optional<int64_t> seconds = args.integer(run, args.size() - 1);
    constexpr int64_t kLongest = 1'000'000;
    if (row == nullptr || !seconds || *seconds < 0) return -1;
    const int64_t milliseconds = std::min(*seconds, kLongest) * 1000;
    row->lifetime_ms.store(static_cast<int32_t>(milliseconds), std::memory_order_relaxed);
    row->deadline.store(clock::now_ms() + milliseconds, std::memory_order_relaxed);
    return 1;
}

int tell_end(Run& run, const Args& args) {
    Connection* const row = connection_of(run, args, if_more_than(args, 0));
    if (row != nullptr) row->tells_end.store(true, std::memory_order_relaxed);
    return truth(row != nullptr);
}
int close(Run& run, const Args& args) {
    const Connection* const row = connection_of(run, args, if_more_than(args, 0));
    return truth(row != nullptr && net::request_close(ConnectionId{row->id.load()}));
}

// ([connection,] idle, count, interval); false for another number of seconds or probes than the kernel takes.
int enable_keepalive(Run& run, const Args& args) {
    constexpr int64_t kMost = 32767;
    const size_t first = args.size() - 3;
    const Connection* const row = connection_of(run, args, if_more_than(args, 3));
    uint16_t values[3];
    for (size_t i = 0; i < 3; ++i) {
        const std::optional<int64_t> value = args.integer(run, first + i);
        if (!value || *value < 1 || *value > kMost) return -1;
        values[i] = static_cast<uint16_t>(*value);
    }
    return truth(row != nullptr &&
                 net::request_keepalive(ConnectionId{row->id.load()}, {values[0], values[1], values[2]}));
}
int disable_keepalive(Run& run, const Args& args) {
    const Connection* const row = connection_of(run, args, if_more_than(args, 0));
    return truth(row != nullptr && net::request_keepalive(ConnectionId{row->id.load()}, {}));
}

// Which connection this request is to leave by, and whether that counts: both must be said, in either order.
struct WayOut {
    uint64_t run = 0;  // of this message alone
    ConnectionId connection = ConnectionId::none;
    bool counts = false;
} g_way_out;
int go_out(Run& run, void (*change)(WayOut& way, int64_t value), int64_t value) {
    if (g_way_out.run != run.id()) g_way_out = {.run = run.id()};
    change(g_way_out, value);
    run.branches.main().connection = g_way_out.counts ? g_way_out.connection : ConnectionId::none;
    return 1;
}
int set_way_out(Run& run, const Args& args) {
    const std::optional<int64_t> number = args.integer(run, 0);
    if (!number || *number < 0) return -1;
    return go_out(
        run, [](WayOut& way, int64_t id) { way.connection = ConnectionId{static_cast<uint64_t>(id)}; }, *number);
}
int use_way_out(Run& run, const Args& args) {
    const std::optional<int64_t> mode = args.integer(run, 0);
    if (!mode) return -1;
    return go_out(
        run, [](WayOut& way, int64_t on) { way.counts = on != 0; }, *mode);
}

// "10.1.2.3:5061", "[2001:db8::1]:5061", an address alone.
std::optional<SocketAddress> address_in(std::string_view given) {
    constexpr uint16_t kUsualPort = 5060;
    if (const auto alone = SocketAddress::parse_ip(given, kUsualPort)) return alone;
    const size_t colon = given.rfind(':');
    const auto port = colon == given.npos ? std::nullopt : sip::parse_port(given.substr(colon + 1));
    return port ? SocketAddress::parse_ip(given.substr(0, colon), *port) : std::nullopt;
}
Status prepare_find(Args& args) { return args.require_assignable(1); }
int find(Run& run, const Args& args) {
    const auto address = address_in(text::trim(args.text(run, 0)));
    ConnectionId found = ConnectionId::none;
    net::Destination to;
    if (address) to.address = *address;
    for (const Transport transport : {Transport::tcp, Transport::tls}) {
        to.transport = transport;
        if (address && found == ConnectionId::none) found = net::find_connection_to(to);
    }
    (void)args.assign(run, 1, script::Value::of(static_cast<int64_t>(found)));
    return truth(found != ConnectionId::none);
}

// --- events -------------------------------------------------------------------------------------------------------
constexpr std::string_view name_of(net::ConnectionEnd how) {
    switch (how) {
    case net::ConnectionEnd::timeout: return "tcp:timeout";
    case net::ConnectionEnd::reset: return "tcp:reset";
    default: return "tcp:closed";
    }
}
constexpr net::ConnectionEnd kEnds[] = {net::ConnectionEnd::closed, net::ConnectionEnd::timeout,
                                        net::ConnectionEnd::reset};

void ended(const net::Inbound& connection, net::ConnectionEnd how) {
    (void)script::run_event_route(name_of(how), connection, nullptr);
}
Status start() {
    const bool heard =
        std::any_of(std::begin(kEnds), std::end(kEnds), [](auto how) { return script::has_event_route(name_of(how)); });
    if (heard && g_closed_event != kNever) net::set_end_handler(ended, g_closed_event == kAlways);
    return {};
}

constexpr Function kFunctions[] = {
    {"tcp_conid_alive", 1, 1, "(int connection)", "True if that connection is open, or about to be.", kAnyRoute, alive},
    {"tcp_conid_state", 1, 1, "(int connection)",
     "1: open, 2: accepted and in its handshake, 3: being made by us, -1: there is none, -3: about to be closed.",
     kAnyRoute, state},
    {"tcp_set_connection_lifetime", 1, 2, "([int connection,] int seconds)",
     "Lets the message's connection, or that one, be idle for so long.", kAnyRoute, set_lifetime},
    {"tcp_enable_closed_event", 0, 1, "([int connection])",
     "With closed_event=2: event_route[tcp:...] runs when that connection ends.", kAnyRoute, tell_end},
    {"tcp_keepalive_enable", 3, 4, "([int connection,] int idle, int count, int interval)",
     "Probes the message's connection, or that one: after `idle` seconds of silence, `count` times, every `interval` "
     "seconds; then it is closed.",
     kAnyRoute, enable_keepalive},
    {"tcp_keepalive_disable", 0, 1, "([int connection])", "Ends that.", kAnyRoute, disable_keepalive},
    {"tcp_set_otcpid", 1, 1, "(int connection)",
     "With tcp_set_otcpid_flag(1): the request leaves by that connection while it lives.", kAnyRoute, set_way_out},
    {"tcp_set_otcpid_flag", 1, 1, "(int on)", "Whether tcp_set_otcpid() counts for this message.", kAnyRoute,
     use_way_out},
    {"tcp_get_conid", 2, 2, "(string address, var connection)",
     "Writes the number of an open connection to that address and port (5060) into the variable, 0 if there is none.",
     kAnyRoute, find, prepare_find},
    {"tcp_close_connection", 0, 1, "([int connection])", "Closes the message's connection, or that one.", kAnyRoute,
     close},
};

const Param kParams[] = {
    {.name = "closed_event",
     .number = &g_closed_event,
     .min = kNever,
     .max = kWhenAsked,
     .help = "When event_route[tcp:closed], [tcp:timeout] and [tcp:reset] run: 0 never, 1 for every connection, 2 for "
             "those that tcp_enable_closed_event() names."},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "tcpops",
    .summary = "Connections: their state, lifetime and end.",
    .params = kParams,
    .functions = kFunctions,
    .hooks = {.start = start},
    .description =
        "event_route[tcp:closed] runs when a TCP or TLS connection was closed in order, event_route[tcp:timeout] when "
        "it was idle or silent for too long, event_route[tcp:reset] when the other side reset it: $conid, $si, $sp, "
        "$Ri, $Rp and $proto are those of the connection, which is gone by then. They run in the worker that had it, "
        "not for connections that were never established, that end with the server or are lost with a worker.\n\n"
        "A connection's number is $conid.",
};

}  // namespace kahu::tcpops
