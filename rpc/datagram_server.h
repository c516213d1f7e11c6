// rpc/datagram_server.h -- binary requests in unix or UDP datagrams.
#pragma once
#include "rpc/datagram_socket.h"

namespace kahu::rpc {

class DatagramServer : public DatagramSocket {
  public:
    using DatagramSocket::DatagramSocket;

  private:
    void answer(std::string_view request, const std::string& peer, Deliver deliver) override;
    std::string fault(std::string_view request, const std::string& why) override;
};

}  // namespace kahu::rpc
