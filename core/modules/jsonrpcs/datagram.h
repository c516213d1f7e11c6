// core/modules/jsonrpcs/datagram.h -- JSON documents in unix or UDP datagrams: one request, one answer, one datagram
// each.
//
// WHY    kamcli speaks this. It reads at most 84000 bytes: lists take [count [offset]] (core.tcp_list, tls.list ...).
// FAILS  An answer that no datagram can hold becomes an error that says so; one that the client's socket has no room
// for
//        is dropped: a datagram client asks again.
#pragma once
#include <sys/socket.h>

#include "rpc/event_ptr.h"
#include "rpc/listen_socket.h"

namespace kahu::jsonrpcs {

class Datagrams {
  public:
    Datagrams(event_base* base, const rpc::ListenSocket& socket);  // borrowed: outlives this
    Datagrams(const Datagrams&) = delete;
    Datagrams& operator=(const Datagrams&) = delete;

  private:
    void on_readable(short what);
    void answer_one(std::string_view document, const sockaddr_storage& from, socklen_t from_size);

    const rpc::ListenSocket& socket_;
    rpc::EventPtr readable_;
};

}  // namespace kahu::jsonrpcs
