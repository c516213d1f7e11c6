// rpc/datagram_server.h -- binary requests in unix or UDP datagrams.
#pragma once
#include "rpc/datagram_socket.h"

namespace kahu::rpc {

class DatagramServer : public DatagramSocket {
  public:
    using DatagramSocket::DatagramSocket;

  private:
    std::string answer(std::string_view request, const std::string& peer) override;
    std::string fault(std::string_view request, const std::string& why) override;
};

}  // namespace kahu::rpc
