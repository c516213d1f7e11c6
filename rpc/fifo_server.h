// rpc/fifo_server.h -- binary and text requests from a named pipe; answers into FIFOs that the clients made beside it.
//
// WHY    A FIFO needs nothing but a shell.  How requests come and answers leave: rpc/fifo_requests.h,
// rpc/fifo_replies.h.
#pragma once
#include <string>

#include "rpc/fifo_protocol.h"
#include "rpc/fifo_requests.h"

namespace kahu::rpc {

class FifoServer : public FifoRequests {
  public:
    using FifoRequests::FifoRequests;

  private:
    size_t answer_all(std::string_view in) override;
    void answer(const FifoRequest& request);
    std::string path_of(const FifoRequest& request) const;
};

}  // namespace kahu::rpc
