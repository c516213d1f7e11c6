// rpc/fifo_server.h -- requests from a named pipe; answers into FIFOs that the clients made beside it.
//
// WHY    A FIFO needs nothing but a shell.  Its reader may never come: every answer waits for its own reader, by
// events,
//        for a bounded time, and costs nobody else anything.
// FAILS  Answers that find no reader within kReaderTimeout, or whose reader stops for write_timeout, are dropped and
//        logged; so is a request whose reply FIFO is none, or is not the client's to name.
#pragma once
#include <list>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/result.h"
#include "rpc/event_ptr.h"
#include "rpc/fifo_protocol.h"
#include "rpc/listen_socket.h"

namespace kahu::rpc {

class FifoServer {
  public:
    FifoServer(event_base* base, const ListenSocket& socket);  // borrowed: outlives this
    FifoServer(const FifoServer&) = delete;
    FifoServer& operator=(const FifoServer&) = delete;

  private:
    struct Reply {
        FifoServer* server;
        std::string path;
        std::string bytes;
        size_t sent = 0;
        clock::Millis give_up_at = 0;  // without a reader
        UniqueFd fd;                   // not open: no reader yet
        EventPtr event;
        void on_event(short what);
    };
    void on_readable(short what);
    void answer_waiting();
    void answer(const FifoRequest& request);
    void reply(const FifoRequest& request, std::string bytes);
    std::string path_of(const FifoRequest& request) const;
    void go_on(Reply& reply);  // may destroy it
    Status open_reply(Reply& reply) const;
    void drop(Reply& reply, const std::string& why);
    void finish(Reply& reply);  // destroys it

    event_base* base_;
    const ListenSocket& socket_;
    std::string in_;
    EventPtr readable_;
    std::list<std::unique_ptr<Reply>> replies_;
};

}  // namespace kahu::rpc
