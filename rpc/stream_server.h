// rpc/stream_server.h -- accepts clients on a unix or TCP stream socket and keeps their sessions.
//
// LIVES  In the rpc process; one for all stream sockets, so that max_clients counts all of them.
// FAILS  At the limit the client that was idle longest gives way.  When descriptors run out, accepting pauses for a
//        second instead of spinning.
#pragma once
#include <list>
#include <memory>
#include <vector>

#include "rpc/listen_socket.h"
#include "rpc/stream_session.h"

namespace kahu::rpc {

class StreamServer {
  public:
    explicit StreamServer(event_base* base) : base_(base) {}
    StreamServer(const StreamServer&) = delete;
    StreamServer& operator=(const StreamServer&) = delete;

    void listen(const ListenSocket& socket);  // borrowed: outlives this
    void close(StreamSession& session);       // destroys it
    const std::list<std::unique_ptr<StreamSession>>& sessions() const { return sessions_; }

  private:
    struct Acceptor {
        StreamServer* server;
        const ListenSocket* socket;
        EventPtr event;
        void on_event(short what);
    };
    void accept_from(Acceptor& acceptor);
    void make_room();

    event_base* base_;
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
    std::list<std::unique_ptr<StreamSession>> sessions_;
};

}  // namespace kahu::rpc
