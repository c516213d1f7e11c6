// core/net/udp_worker.h -- reads one UDP socket in batches, together with the other workers of that socket.
//
// WHY    One recvmmsg() and one sendmmsg() serve up to kBatch messages.  All workers of a socket share its
//        descriptor; EPOLLEXCLUSIVE wakes one of them per datagram instead of all.
// DEATH  Datagrams that the dead worker had read and not answered are lost, as UDP may lose them; the clients
//        retransmit.  What is still in the socket is read by the others.
#pragma once
#include <string_view>

#include "core/base/address.h"
#include "core/net/inbound.h"

namespace kahu::net {

int run_udp_worker(int slot);

// Puts a datagram into the running batch; false if no batch of that listener runs in this process, or it is full.
bool answer_in_batch(uint16_t listener, const SocketAddress& to, std::string_view bytes);
// Sends what the running batch of this process holds, now: for whoever must keep the order of what several processes
// send.
void flush_batch();

// Sees each datagram before it is taken for SIP; true: it was none, and has been dealt with (module stun).  Set once,
// before the first fork.
using DatagramFilter = bool (*)(std::string_view datagram, const Inbound& from);
void set_datagram_filter(DatagramFilter filter);

}  // namespace kahu::net
