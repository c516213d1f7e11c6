// core/net/destination.h -- where a message goes: one attempt of RFC 3263, and sending to it.
//
// WHY    A sender does not care whether a connection is there, must be made first, or is a datagram socket.
// LIVES  Standard layout without pointers: transactions keep destinations in the segment, and any process may use them.
// FAILS  send_to() never blocks and never waits.  What it can find out at once it returns; what is found out later
//        (refused, timed out, wrong certificate, connection lost before the message left) goes to the failure handler.
#pragma once
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/base/address.h"
#include "core/net/inbound.h"

namespace kahu::net {

constexpr uint16_t kAnyListener = UINT16_MAX;

struct Destination {
    static constexpr size_t kHostBytes = 256;

    Transport transport = Transport::udp;
    bool connect = true;                           // false: only over a connection that is open (set_reply_no_connect)
    uint16_t listener = kAnyListener;              // index into listeners(): what to send from
    ConnectionId connection = ConnectionId::none;  // tried first if it is still open; none: any that fits
    SocketAddress address;
    char host[kHostBytes] = {};  // the domain asked for, NUL-ended: TLS server name and what the certificate must name

    std::string_view host_name() const { return host; }
    bool set_host(std::string_view name);  // false: too long
};
static_assert(std::is_standard_layout_v<Destination> && std::is_trivially_copyable_v<Destination>);

// Fills `listener` in: `preferred` if it fits transport and address family, else the first that does; loopback
// addresses are reached from loopback listeners.  False: there is none, the message cannot be sent.
bool choose_listener(Destination& to, uint16_t preferred = kAnyListener);

// REQUIRES: to.listener was chosen.  `ticket` != 0 comes back to the failure handler if this message cannot leave.
Sent send_to(const Destination& to, std::string_view bytes, uint64_t ticket = 0);

// The other end of an open connection, as a destination that is reached over it.  False: it has ended.
bool destination_over(ConnectionId connection, Destination& out);

// An open connection to that destination that may be used for sending; ConnectionId::none if there is none.
ConnectionId find_connection_to(const Destination& to);

enum class SendFailure : uint8_t {
    connect_failed,  // refused, unreachable, timed out
    tls_failed,      // handshake, or a certificate that does not name the host
    lost,            // the connection ended before the message was given to the kernel
    unanswered,      // it ended later: nobody knows whether the message was read
    no_resources,    // no row, no descriptor, no memory
};
std::string_view name_of(SendFailure why);
// Called once per message sent with a ticket that will not leave, in any SIP worker (the one that tried); and for the
// last ones that left over a connection when that ends (core/net/sent_tickets.h), answered or not.  Set once, before
// the first fork.  It may send again.
using SendFailureHandler = void (*)(uint64_t ticket, SendFailure why);
void set_send_failure_handler(SendFailureHandler handler);

}  // namespace kahu::net
