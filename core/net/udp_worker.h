// core/net/udp_worker.h -- reads one UDP socket in batches, together with the other workers of that socket.
//
// WHY    One recvmmsg() and one sendmmsg() serve up to kBatch messages.  All workers of a socket share its
//        descriptor; EPOLLEXCLUSIVE wakes one of them per datagram instead of all.
// DEATH  Datagrams that the dead worker had read and not answered are lost, as UDP may lose them; the clients
//        retransmit.  What is still in the socket is read by the others.
#pragma once
#include <string_view>

#include "core/base/address.h"

namespace kahu::net {

int run_udp_worker(int slot);

// Puts a datagram into the running batch; false if no batch of that listener runs in this process, or it is full.
bool answer_in_batch(uint16_t listener, const SocketAddress& to, std::string_view bytes);
// Sends what the running batch of this process holds, now: for whoever must keep the order of what several processes
// send.
void flush_batch();

}  // namespace kahu::net
