#include "core/net/net_counters.h"

namespace kahu::net {

NetCounters counters;

namespace {
using enum CounterKind;
// clang-format off
const Counter kCounters[] = {
    {"tcp", "established", counter, "TCP and TLS connections accepted or made.", &counters.established},
    {"tcp", "passive_open", counter, "Connections accepted.", &counters.passive_open},
    {"tcp", "connect_success", counter, "Outgoing connections made.", &counters.connect_success},
    {"tcp", "connect_failed", counter, "Outgoing connections that failed.", &counters.connect_failed},
    {"tcp", "local_reject", counter, "Connections refused because of a limit.", &counters.local_reject},
    {"tcp", "con_timeout", counter, "Connections closed because they were idle.", &counters.con_timeout},
    {"tcp", "con_reset", counter, "Connections reset by the peer.", &counters.con_reset},
    {"tcp", "send_timeout", counter, "Connections closed because the peer took no bytes.", &counters.send_timeout},
    {"tcp", "sendq_full", counter, "Messages not sent because a queue was full.", &counters.sendq_full},
    {"tcp", "accept_failed", counter, "Calls of accept() that failed, as when descriptors run out.", &counters.accept_failed},
    {"tcp", "half_open_evicted", counter, "Unfinished TLS handshakes that gave way to a new connection.", &counters.half_open_evicted},
    {"tcp", "framing_errors", counter, "Connections closed because no SIP message could be found in their bytes.", &counters.framing_errors},
    {"tcp", "handshake_timeout", counter, "TLS handshakes that did not end in time.", &counters.handshake_timeout},
    {"tcp", "lost_with_worker", counter, "Connections closed because their worker died inside them.", &counters.lost_with_worker},
    {"tcp", "leaked_bytes", counter, "About how much of the segment is held for ever by what died: TLS state of processes and of the connections lost with them.", &counters.leaked_bytes},
    {"tcp", "adopted", counter, "Connections that went on with the successor of a dead worker.", &counters.adopted},
    {"tcp", "pings_answered", counter, "CRLF keep-alives answered.", &counters.pings},
    {"udp", "received", counter, "Datagrams received.", &counters.udp_received},
    {"udp", "sent", counter, "Datagrams sent.", &counters.udp_sent},
    {"udp", "send_failed", counter, "Datagrams that could not be sent.", &counters.udp_send_failed},
    {"dns", "failed_dns_request", counter, "Questions that name servers answered with an error, or not at all.", &counters.dns_failed},
    {"dns", "slow_dns_request", counter, "Questions that took longer than dns_slow_query_ms.", &counters.dns_slow},
    {"dns", "refused", counter, "Destinations not looked up, because too much waits for name servers.", &counters.dns_refused},
    {"core", "messages_received", counter, "SIP messages received over any transport.", &counters.messages_received},
    {"core", "messages_sent", counter, "SIP messages sent over any transport.", &counters.messages_sent},
};
// clang-format on
}  // namespace

std::span<const Counter> net_counters() { return kCounters; }

}  // namespace kahu::net
