// dst_blocklist.*: destinations that are left out for a while (core/net/blocklist.h).
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/net/blocklist.h"
#include "rpc/commands.h"

namespace kahu::rpc {
namespace {

using net::Blocked;

bool list_in_use(RpcCall& call) {
    if (net::blocklist_settings.use != 0) return true;
    call.fault(500, "dst blocklist support disabled");
    return false;
}

std::string_view protocol_of(const Blocked& one) { return one.transport ? name_of(*one.transport) : "*"; }
int64_t seconds_left(const Blocked& one) {
    const bool permanent = (one.reasons & net::kBlockPermanent) != 0;
    return permanent ? 0 : std::max<int64_t>(0, (one.expires - clock::read()) / 1000);
}

// Kamailio's field is named so, blank and all.
void view(RpcCall& call) {
    if (!list_in_use(call)) return;
    net::for_each_blocked([&](const Blocked& one) {
        call.add(RpcStruct{{"protocol", protocol_of(one)},
                           {"ip", one.address.ip()},
                           {"port", int{one.address.port()}},
                           {"expires in (s)", seconds_left(one)},
                           {"flags", int{one.reasons}}});
    });
}
void debug(RpcCall& call) {
    if (!list_in_use(call)) return;
    net::for_each_blocked([&](const Blocked& one) {
        call.add(protocol_of(one));
        call.add(one.address.ip());
        call.add(int{one.address.port()});
        call.add(seconds_left(one));
        call.add(int{one.reasons});
    });
}
void mem_info(RpcCall& call) {
    if (!list_in_use(call)) return;
    size_t entries = 0;
    net::for_each_blocked([&](const Blocked&) { ++entries; });
    call.add(entries * net::blocked_entry_bytes());
    call.add(net::blocklist_bytes());
}

void add(RpcCall& call) {
    if (!list_in_use(call)) return;
    const auto ip = call.next_text();
    if (!ip) return;
    const auto port = call.next_int();
    if (!port) return;
    const auto protocol = call.next_int();
    if (!protocol) return;
    const auto flags = call.next_int();
    if (!flags) return;
    const auto address = SocketAddress::parse_ip(*ip);
    if (!address) return call.fault(400, fmt::format("Malformed ip address: \"{}\"", text::printable(*ip, 60)));
    if (*port < 0 || *port > UINT16_MAX)
        return call.fault(400, fmt::format("the port is from 0 to 65535, not {}", *port));
    if (*protocol < 0 || *protocol > 3) return call.fault(400, "Unknown protocol: 0 any, 1 UDP, 2 TCP, 3 TLS");
    if (*flags < 0 || *flags > 255) return call.fault(400, fmt::format("flags are from 0 to 255, not {}", *flags));
    Blocked entry{*address, std::nullopt, static_cast<uint8_t>(*flags | net::kBlockAdministrator), 0};
    entry.address.set_port(static_cast<uint16_t>(*port));
    entry.expires = clock::read() + net::blocklist_settings.expire * 1000;
    if (*protocol != 0) entry.transport = static_cast<Transport>(*protocol - 1);
    if (!net::add_blocked(entry)) call.fault(500, "its place is taken by permanent entries");
}

void delete_all(RpcCall& call) {
    if (list_in_use(call)) net::clear_blocked();
}

constexpr Command kCommands[] = {
    {"dst_blocklist.view", "", "Lists the destinations that are left out.", view},
    {"dst_blocklist.debug", "", "Lists them as bare values.", debug},
    {"dst_blocklist.mem_info", "", "Returns the bytes of the list that are in use, and of all of it.", mem_info},
    {"dst_blocklist.add", "ip port protocol flags",
     "Leaves a destination out. Protocol: 0 any, 1 UDP, 2 TCP, 3 TLS; flags: 128 until the server ends, else 0.", add},
    {"dst_blocklist.delete_all", "", "Empties the list but for permanent entries.", delete_all},
};

}  // namespace

std::span<const Command> blocklist_commands() { return kCommands; }

}  // namespace kahu::rpc
