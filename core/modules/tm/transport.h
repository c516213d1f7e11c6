// core/modules/tm/transport.h -- how tm's messages leave; tests put their own functions here.
#pragma once
#include <string_view>

#include "core/net/destination.h"
#include "core/net/inbound.h"
#include "core/net/udp_worker.h"

namespace kahu::tm {

using Hop = net::Destination;

struct Transmit {
    net::Sent (*send_to)(const Hop& to, std::string_view bytes, uint64_t ticket) = net::send_to;
    // Lets leave what was sent so far: under the lock, so that what another process decides later leaves later.
    void (*flush)() = net::flush_batch;
    net::Sent (*respond)(const net::Inbound& from, const SocketAddress& to, std::string_view bytes) = net::respond;
};
Transmit& transmit();

}  // namespace kahu::tm
