// core/net/inbound.h -- where a message came from, and how an answer goes back.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/base/address.h"

namespace kahu::net {

// Never reused while the server runs; small numbers, as operators type them.  0 is none.
enum class ConnectionId : uint64_t { none = 0 };

struct Inbound {
    Transport transport = Transport::udp;
    SocketAddress source;                          // of the datagram or of the connection's peer
    SocketAddress local;                           // where it arrived
    uint16_t listener = 0;                         // index into listeners()
    ConnectionId connection = ConnectionId::none;  // streams only
};

// Called once per message, with the framed bytes; they are gone after it returns.  Set once by
// core/app before the first fork; the routing script is behind it.
using MessageHandler = void (*)(std::string_view bytes, const Inbound& from);
void set_message_handler(MessageHandler handler);

enum class Sent : uint8_t {
    ok,          // given to the kernel or queued for the connection's owner
    gone,        // the connection does not exist any more
    queue_full,  // tcp_conn_wq_max, 1 MiB or tcp_wq_max reached: nothing was queued
    no_memory,
    failed,       // sendto() failed: errno is set
    unreachable,  // no socket to send it from, or no connection and none may be made
};
// A reply on the way the request came (RFC 3261 18.2.2): the same connection, or for UDP from the same listener to
// `to`.  Cheap when called by the connection's owner while it handles that connection: the bytes of one loop turn
// leave together.
Sent respond(const Inbound& from, const SocketAddress& to, std::string_view bytes);
// To an existing connection, from any process.  `ticket`: core/net/destination.h.
Sent send_on(ConnectionId connection, std::string_view bytes, uint64_t ticket = 0);
// A datagram from that listener.
Sent send_datagram(uint16_t listener, const SocketAddress& to, std::string_view bytes);

}  // namespace kahu::net
