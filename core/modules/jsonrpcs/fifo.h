// core/modules/jsonrpcs/fifo.h -- JSON documents from a named pipe; answers into FIFOs that the clients made.
//
// WHY    kamctl speaks this.
// RULES  "reply_name" must be a plain file name; it is looked for in fifo_reply_dir. Without one the request is
//        executed and its answer dropped: nobody could hear it.
// FAILS  Bytes that are no JSON document are dropped up to the next bracket, and logged.
#pragma once
#include <string_view>

#include "core/modules/jsonrpcs/protocol.h"
#include "rpc/fifo_requests.h"

namespace kahu::jsonrpcs {

class Fifo : public rpc::FifoRequests {
  public:
    using rpc::FifoRequests::FifoRequests;

  private:
    size_t answer_all(std::string_view in) override;
    void answer_one(std::string_view document);
    void deliver(Answer made);
};

}  // namespace kahu::jsonrpcs
