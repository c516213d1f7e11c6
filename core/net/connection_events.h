// core/net/connection_events.h -- what the script may hear of connections, or refuse.
//
// WHY    The engine knows no script; modules tls and tcpops ask to be called.
// LIVES  Set before the first fork; the calls come in the connection's owner. Nothing is asked where nothing is set.
// DEATH  In an OutgoingFilter costs the connection that it was asked about; in an EndHandler what it would have done:
//        the connection is gone already.
#pragma once
#include <cstdint>

#include "core/net/inbound.h"

namespace kahu::net {

struct Connection;

// Before the handshake of a TLS connection that we made. False: it is closed, and its messages fail.
using OutgoingFilter = bool (*)(ConnectionId id, const Connection& connection);
void set_outgoing_filter(OutgoingFilter filter);
OutgoingFilter outgoing_filter();

enum class ConnectionEnd : uint8_t {
    closed,   // in order, by either side, or because what came was no SIP
    timeout,  // idle, too slow, or the other side does not acknowledge any more
    reset,
};
// After the connection has ended. Not of those that were never established, nor of those that the server's stop ends.
using EndHandler = void (*)(const Inbound& connection, ConnectionEnd how);
// `all`: of every connection; else of those whose Connection::tells_end is set.
void set_end_handler(EndHandler handler, bool all);
EndHandler end_handler_of(const Connection& connection);  // nullptr: nobody wants to hear of it

}  // namespace kahu::net
