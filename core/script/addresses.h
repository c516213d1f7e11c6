// core/script/addresses.h -- addresses of a message as text and as networks.
#pragma once
#include <netinet/in.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/address.h"

namespace kahu::script {

// "10.0.0.1", "2001:db8::1" without allocating; `into` has kIpTextBytes.
inline constexpr size_t kIpTextBytes = INET6_ADDRSTRLEN;
std::string_view ip_text(const SocketAddress& address, char* into);

// "10.0.0.0/8", "10.0.0.0/255.0.0.0", "2001:db8::/32", or one address.
class Network {
  public:
    static std::optional<Network> parse(std::string_view text);
    bool contains(const SocketAddress& address) const;

  private:
    bool v6_ = false;
    unsigned bits_ = 0;
    std::array<unsigned char, 16> bytes_{};
};

// What a host name resolves to, each address by itself; empty if it does not.  At start only: it waits for the name
// server.
std::vector<Network> networks_of_host(const std::string& name);

}  // namespace kahu::script
