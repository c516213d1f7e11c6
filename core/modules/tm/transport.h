// core/modules/tm/transport.h -- how tm's messages leave; tests put their own functions here.
#pragma once
#include <string_view>

#include "core/net/destination.h"
#include "core/net/inbound.h"

namespace kahu::tm {

using Hop = net::Destination;

struct Transmit {
    net::Sent (*send_to)(const Hop& to, std::string_view bytes, uint64_t ticket) = net::send_to;
    net::Sent (*respond)(const net::Inbound& from, const SocketAddress& to, std::string_view bytes) = net::respond;
};
Transmit& transmit();

}  // namespace kahu::tm
