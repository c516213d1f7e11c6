// core/net/stream.h -- one turn of a connection: bytes in, messages to the script, bytes out.
//
// WHY    A turn reads once, hands over every complete message, and sends all answers with one send().
// LIVES  Works on process-static buffers; only what is incomplete at the end of a turn is kept in the segment.
// FAILS  A turn says how it ended; the worker closes the link for everything but `open`.
#pragma once
#include <string_view>

#include "core/net/link.h"

namespace kahu::net {

enum class TurnEnd : uint8_t {
    open,
    closed_by_peer,
    reset,
    silent,    // nothing was acknowledged for too long
    unframed,  // a 4xx was sent if it could be
    tls_failed,
    no_memory,
    send_failed,
};

// The socket has bytes, or its end.
TurnEnd read_turn(Link& link);
// A new connection that is open: starts the TLS handshake if it is one, as client on one that we made.
TurnEnd open_turn(Link& link);
// Others queued something, or the socket takes bytes again.
TurnEnd write_turn(Link& link);
// close_notify and what is queued, as far as the socket takes it at once.
void last_turn(Link& link);

// The link whose turn it is, nullptr outside of one.
Link* working_on();
// Appends to what leaves at the end of this turn.  REQUIRES: working_on() != nullptr.
Sent answer_in_turn(std::string_view bytes, uint64_t ticket = 0);

}  // namespace kahu::net
