// core/modules/jsonrpcs/fifo.h -- JSON documents from a named pipe; answers into FIFOs that the clients made.
//
// WHY    kamctl speaks this.
// RULES  "reply_name" must be a plain file name; it is looked for in fifo_reply_dir. Without one nothing is executed
// for
//        nobody to hear: the request is executed, and its answer is dropped.
// FAILS  Bytes that are no JSON document are dropped up to the next bracket, and logged. How answers are bounded:
//        rpc/fifo_replies.h.
#pragma once
#include <string>

#include "rpc/event_ptr.h"
#include "rpc/fifo_replies.h"
#include "rpc/listen_socket.h"

namespace kahu::jsonrpcs {

class Fifo {
  public:
    Fifo(event_base* base, const rpc::ListenSocket& socket);  // borrowed: outlives this
    Fifo(const Fifo&) = delete;
    Fifo& operator=(const Fifo&) = delete;

  private:
    void on_readable(short what);
    void answer_waiting();
    void answer_one(std::string_view document);

    const rpc::ListenSocket& socket_;
    std::string in_;
    rpc::EventPtr readable_;
    rpc::FifoReplies replies_;
};

}  // namespace kahu::jsonrpcs
