// core/modules/jsonrpcs/datagram.h -- JSON documents in unix or UDP datagrams.
//
// WHY    kamcli speaks this. It reads at most 84000 bytes: lists take [count [offset]] (core.tcp_list, tls.list ...).
#pragma once
#include "rpc/datagram_socket.h"

namespace kahu::jsonrpcs {

class Datagrams : public rpc::DatagramSocket {
  public:
    using rpc::DatagramSocket::DatagramSocket;

  private:
    void answer(std::string_view document, const std::string& peer, rpc::Deliver deliver) override;
    std::string fault(std::string_view document, const std::string& why) override;
};

}  // namespace kahu::jsonrpcs
