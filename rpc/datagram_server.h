// rpc/datagram_server.h -- requests in unix or UDP datagrams: one request, one answer, one datagram each.
//
// FAILS  An answer that no datagram can hold becomes a fault that says so; one that the client's socket has no room for
//        is dropped: a datagram client asks again.
#pragma once
#include <sys/socket.h>

#include "rpc/event_ptr.h"
#include "rpc/listen_socket.h"

namespace kahu::rpc {

class DatagramServer {
  public:
    DatagramServer(event_base* base, const ListenSocket& socket);  // borrowed: outlives this
    DatagramServer(const DatagramServer&) = delete;
    DatagramServer& operator=(const DatagramServer&) = delete;

  private:
    void on_readable(short what);
    void answer(std::string_view datagram, const sockaddr_storage& from, socklen_t from_size);

    const ListenSocket& socket_;
    EventPtr readable_;
};

}  // namespace kahu::rpc
