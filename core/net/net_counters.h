// core/net/net_counters.h -- what the transports count; ids are filled in at start (core/stats/registry.h).
#pragma once
#include <span>

#include "core/module/descriptor.h"
#include "core/stats/counters.h"

namespace kahu::net {

struct NetCounters {
    uint16_t established, passive_open, connect_success, connect_failed, local_reject, con_timeout, con_reset,
        send_timeout, sendq_full, accept_failed, half_open_evicted, framing_errors, handshake_timeout, lost_with_worker,
        leaked_bytes, adopted, udp_received, udp_sent, udp_send_failed, messages_received, messages_sent, pings,
        dns_failed, dns_slow, dns_refused;
};
extern NetCounters counters;
std::span<const Counter> net_counters();

}  // namespace kahu::net
