// core/base/address.h -- an IP address with port; standard layout, so it may live in the segment.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kahu {

// The transports SIP runs on here (RFC 3261 section 18, RFC 7118 for ws/wss later).
enum class Transport : uint8_t { udp, tcp, tls };
constexpr std::string_view name_of(Transport t) {
    constexpr std::string_view names[] = {"udp", "tcp", "tls"};
    return names[static_cast<int>(t)];
}
constexpr std::string_view upper_name_of(Transport t) {  // as Via and $proto write it
    constexpr std::string_view names[] = {"UDP", "TCP", "TLS"};
    return names[static_cast<int>(t)];
}
std::optional<Transport> transport_named(std::string_view name);  // any case
constexpr bool is_stream(Transport t) { return t != Transport::udp; }
constexpr uint16_t default_port(Transport t) { return t == Transport::tls ? 5061 : 5060; }

class SocketAddress {
  public:
    SocketAddress() { v4_.sin_family = AF_UNSPEC; }
    static SocketAddress from(const sockaddr* address);  // AF_INET or AF_INET6, else empty
    // "10.0.0.1", "::1" or "[::1]"; no names, no resolver.
    static std::optional<SocketAddress> parse_ip(std::string_view ip, uint16_t port = 0);

    bool empty() const { return v4_.sin_family == AF_UNSPEC; }
    bool is_v6() const { return v4_.sin_family == AF_INET6; }
    int family() const { return v4_.sin_family; }
    uint16_t port() const { return ntohs(v4_.sin_port); }  // same offset in both families
    void set_port(uint16_t port) { v4_.sin_port = htons(port); }
    bool is_wildcard() const;
    SocketAddress unmapped() const;  // ::ffff:10.0.0.1 -> 10.0.0.1

    const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&v4_); }
    sockaddr* raw() { return reinterpret_cast<sockaddr*>(&v6_); }
    socklen_t raw_size() const { return is_v6() ? sizeof v6_ : sizeof v4_; }
    static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }

    std::string ip() const;         // "10.0.0.1", "::1" (RFC 5952)
    std::string ip_in_uri() const;  // "10.0.0.1", "[::1]"
    std::string text() const;       // "10.0.0.1:5060", "[::1]:5060"

    bool same_ip(const SocketAddress& other) const;
    bool operator==(const SocketAddress& other) const { return port() == other.port() && same_ip(other); }
    uint64_t hash_ip() const;

  private:
    union {
        sockaddr_in v4_;
        sockaddr_in6 v6_{};
    };
};

}  // namespace kahu
