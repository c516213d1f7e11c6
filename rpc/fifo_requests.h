// rpc/fifo_requests.h -- reading requests from a named pipe: what the binary, text and JSON protocols share.
//
// LIVES  In the rpc process.
// RULES  One read each turn of the loop, so that whoever writes without end does not keep the others waiting.
// FAILS  Half a request is dropped and logged when nothing follows within 2 s.
#pragma once
#include <string>
#include <string_view>

#include "rpc/event_ptr.h"
#include "rpc/fifo_replies.h"
#include "rpc/listen_socket.h"

namespace kahu::rpc {

class FifoRequests {
  public:
    FifoRequests(event_base* base, const ListenSocket& socket);  // borrowed: outlives this
    FifoRequests(const FifoRequests&) = delete;
    FifoRequests& operator=(const FifoRequests&) = delete;
    virtual ~FifoRequests() = default;

  protected:
    const ListenSocket& socket() const { return socket_; }
    void reply(std::string path, std::string bytes) { replies_.send(std::move(path), std::move(bytes)); }

  private:
    // Answers every whole request in `in`; returns how many bytes to keep at its end: those of half a request.
    virtual size_t answer_all(std::string_view in) = 0;
    void on_readable(short what);

    const ListenSocket& socket_;
    std::string in_;
    EventPtr readable_;
    FifoReplies replies_;
};

}  // namespace kahu::rpc
