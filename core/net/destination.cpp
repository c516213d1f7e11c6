#include "core/net/destination.h"

#include <sys/socket.h>

#include <cstring>

#include "core/base/fd.h"
#include "core/net/connect.h"
#include "core/net/connection.h"
#include "core/net/listener.h"
#include "core/net/settings.h"

namespace kahu::net {
namespace {

bool is_loopback(const SocketAddress& address) {
    const SocketAddress plain = address.unmapped();
    if (plain.is_v6()) return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(plain.raw())->sin6_addr);
    return ntohl(reinterpret_cast<const sockaddr_in*>(plain.raw())->sin_addr.s_addr) >> 24 == 127;
}

bool can_send(const Listener& from, const Destination& to) {
    return from.transport == to.transport && from.address.is_v6() == to.address.is_v6();
}

// What the kernel would send from: a connected datagram socket knows without a packet.
SocketAddress routed_source(const SocketAddress& to) {
    SocketAddress source;
    const UniqueFd probe(::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    socklen_t size = SocketAddress::capacity();
    if (probe && ::connect(probe.get(), to.raw(), to.raw_size()) == 0)
        (void)!::getsockname(probe.get(), source.raw(), &size);
    return source;
}

int score(const Listener& from, const Destination& to, const SocketAddress& routed) {
    if (!routed.empty() && from.address.same_ip(routed)) return 3;
    if (from.address.is_wildcard()) return 2;
    return is_loopback(from.address) == is_loopback(to.address) ? 2 : 1;
}

}  // namespace

bool Destination::set_host(std::string_view name) {
    if (name.size() >= kHostBytes) return false;
    std::memcpy(host, name.data(), name.size());
    std::memset(host + name.size(), 0, kHostBytes - name.size());
    return true;
}

bool choose_listener(Destination& to, uint16_t preferred) {
    const std::span<Listener> all = listeners();
    const SocketAddress routed = settings.mhomed != 0 ? routed_source(to.address) : SocketAddress();
    if (preferred < all.size() && can_send(all[preferred], to)) {
        const Listener& wanted = all[preferred];
        const bool reaches = settings.mhomed != 0 ? score(wanted, to, routed) >= 2 : true;
        if (reaches && (wanted.address.is_wildcard() || !is_loopback(wanted.address) || is_loopback(to.address))) {
            to.listener = preferred;
            return true;
        }
    }
    int best = 0;
    for (const Listener& from : all) {
        const int rated = can_send(from, to) ? score(from, to, routed) : 0;
        if (rated <= best) continue;
        best = rated;
        to.listener = from.index;
    }
    return best > 0;
}

bool destination_over(ConnectionId connection, Destination& out) {
    if (connection == ConnectionId::none) return false;
    const Connection* const row = find_connection(connection);
    if (row == nullptr || row->state.load() == ConnectionState::closing) return false;
    out.transport = row->transport;
    out.listener = row->listener;
    out.connection = connection;
    out.address = row->peer;
    return find_connection(connection) == row;  // the row was not used again meanwhile
}

Sent send_to(const Destination& to, std::string_view bytes, uint64_t ticket) {
    if (to.listener >= listeners().size()) return Sent::unreachable;
    if (!is_stream(to.transport)) return send_datagram(to.listener, to.address, bytes);
    if (const ConnectionId open = find_connection_to(to); open != ConnectionId::none) {
        const Sent sent = send_on(open, bytes, ticket);
        if (sent != Sent::gone) return sent;
    }
    if (!to.connect || settings.tcp_no_connect != 0) return Sent::unreachable;
    return order_connection(to, bytes, ticket);
}

}  // namespace kahu::net
