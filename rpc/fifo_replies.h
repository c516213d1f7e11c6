// rpc/fifo_replies.h -- answers on their way into the FIFOs that clients made for them.
//
// WHY    A FIFO's reader may never come: every answer waits for its own reader, by events, for a bounded time, and
//        costs nobody else anything.  The text, binary and JSON protocols over FIFOs share this.
// LIVES  In the rpc process.
// FAILS  Answers that find no reader within 2 s, or whose reader stops for write_timeout, are dropped and logged; so is
//        one for a path that is no FIFO, or whose owner could not have asked.
#pragma once
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/result.h"
#include "rpc/event_ptr.h"
#include "rpc/listen_socket.h"

namespace kahu::rpc {

class FifoReplies {
  public:
    FifoReplies(event_base* base, const ListenSocket& requests)
        : base_(base), requests_(requests) {}  // both outlive this
    FifoReplies(const FifoReplies&) = delete;
    FifoReplies& operator=(const FifoReplies&) = delete;

    void send(std::string path, std::string bytes);

  private:
    struct Reply {
        FifoReplies* owner;
        std::string path;
        std::string bytes;
        size_t sent = 0;
        clock::Millis give_up_at = 0;  // without a reader
        UniqueFd fd;                   // not open: no reader yet
        EventPtr event;
        void on_event(short what);
    };
    void go_on(Reply& reply);  // may destroy it
    Status open_reply(Reply& reply) const;
    void drop(Reply& reply, const std::string& why);
    void finish(Reply& reply);  // destroys it

    event_base* base_;
    const ListenSocket& requests_;
    std::list<std::unique_ptr<Reply>> replies_;
};

// One log line for all that is dropped on FIFOs, limited in rate.
void log_dropped_on_fifo(std::string_view reply_fifo, std::string_view why);

}  // namespace kahu::rpc
