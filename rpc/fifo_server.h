// rpc/fifo_server.h -- requests from a named pipe; answers into FIFOs that the clients made beside it.
//
// WHY    A FIFO needs nothing but a shell.  How the answers leave: rpc/fifo_replies.h.
#pragma once
#include <string>

#include "rpc/event_ptr.h"
#include "rpc/fifo_protocol.h"
#include "rpc/fifo_replies.h"
#include "rpc/listen_socket.h"

namespace kahu::rpc {

class FifoServer {
  public:
    FifoServer(event_base* base, const ListenSocket& socket);  // borrowed: outlives this
    FifoServer(const FifoServer&) = delete;
    FifoServer& operator=(const FifoServer&) = delete;

  private:
    void on_readable(short what);
    void answer_waiting();
    void answer(const FifoRequest& request);
    std::string path_of(const FifoRequest& request) const;

    const ListenSocket& socket_;
    std::string in_;
    EventPtr readable_;
    FifoReplies replies_;
};

}  // namespace kahu::rpc
