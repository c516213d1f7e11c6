#include "core/base/address.h"

#include <arpa/inet.h>

#include <cstring>

#include "core/base/hash.h"
#include "core/base/text.h"

namespace kahu {

std::optional<Transport> transport_named(std::string_view name) {
    for (const Transport t : {Transport::udp, Transport::tcp, Transport::tls})
        if (text::iequals(name, name_of(t))) return t;
    return std::nullopt;
}

SocketAddress SocketAddress::from(const sockaddr* address) {
    SocketAddress out;
    if (address->sa_family == AF_INET) std::memcpy(&out.v4_, address, sizeof out.v4_);
    if (address->sa_family == AF_INET6) std::memcpy(&out.v6_, address, sizeof out.v6_);
    return out;
}

std::optional<SocketAddress> SocketAddress::parse_ip(std::string_view ip, uint16_t port) {
    if (ip.size() >= 2 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
    char terminated[INET6_ADDRSTRLEN];
    if (ip.empty() || ip.size() >= sizeof terminated) return std::nullopt;
    std::memcpy(terminated, ip.data(), ip.size());
    terminated[ip.size()] = 0;
    SocketAddress out;
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, terminated, &v4) == 1) {
        out.v4_.sin_family = AF_INET;
        out.v4_.sin_addr = v4;
    } else if (inet_pton(AF_INET6, terminated, &v6) == 1) {
        out.v6_.sin6_family = AF_INET6;
        out.v6_.sin6_addr = v6;
    } else {
        return std::nullopt;
    }
    out.set_port(port);
    return out;
}

bool SocketAddress::is_wildcard() const {
    if (is_v6()) return IN6_IS_ADDR_UNSPECIFIED(&v6_.sin6_addr);
    return v4_.sin_addr.s_addr == INADDR_ANY;
}

SocketAddress SocketAddress::unmapped() const {
    if (!is_v6() || !IN6_IS_ADDR_V4MAPPED(&v6_.sin6_addr)) return *this;
    SocketAddress out;
    out.v4_.sin_family = AF_INET;
    out.v4_.sin_port = v6_.sin6_port;
    std::memcpy(&out.v4_.sin_addr, v6_.sin6_addr.s6_addr + 12, 4);
    return out;
}

std::string SocketAddress::ip() const {
    if (empty()) return {};
    char out[INET6_ADDRSTRLEN];
    const void* at = is_v6() ? static_cast<const void*>(&v6_.sin6_addr) : &v4_.sin_addr;
    return inet_ntop(family(), at, out, sizeof out) ? out : "";
}
std::string SocketAddress::ip_in_uri() const { return is_v6() ? '[' + ip() + ']' : ip(); }
std::string SocketAddress::text() const { return ip_in_uri() + ':' + std::to_string(port()); }

bool SocketAddress::same_ip(const SocketAddress& other) const {
    if (family() != other.family()) return false;
    if (is_v6()) return std::memcmp(&v6_.sin6_addr, &other.v6_.sin6_addr, 16) == 0;
    return v4_.sin_addr.s_addr == other.v4_.sin_addr.s_addr;
}
uint64_t SocketAddress::hash_ip() const {
    return is_v6() ? hash_bytes(&v6_.sin6_addr, 16) : hash_bytes(&v4_.sin_addr, 4);
}

}  // namespace kahu
