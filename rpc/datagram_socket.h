// rpc/datagram_socket.h -- one request, one answer, one datagram each: what the binary and the JSON protocol share.
//
// LIVES  In the rpc process.
// FAILS  An answer that no datagram can hold becomes the protocol's fault that says so; one that the client's socket
//        has no room for is dropped and logged: a datagram client asks again.  A request whose sender has no address,
//        so that nobody could hear the answer, is not executed.
#pragma once
#include <sys/socket.h>

#include <string>
#include <string_view>

#include "rpc/answer.h"
#include "rpc/event_ptr.h"
#include "rpc/listen_socket.h"

namespace kahu::rpc {

class DatagramSocket {
  public:
    DatagramSocket(event_base* base, const ListenSocket& socket);  // borrowed: outlives this
    DatagramSocket(const DatagramSocket&) = delete;
    DatagramSocket& operator=(const DatagramSocket&) = delete;
    virtual ~DatagramSocket() = default;

  private:
    virtual void answer(std::string_view request, const std::string& peer,
                        Deliver deliver) = 0;                                         // "udp:127.0.0.1:5060"
    virtual std::string fault(std::string_view request, const std::string& why) = 0;  // the answer was too long

    void on_readable(short what);
    struct Peer {
        sockaddr_storage address;
        socklen_t size;
        std::string name;
    };
    void answer_one(std::string_view request, const Peer& peer);
    void send(std::string_view request, const Peer& peer, const std::string& reply);

    const ListenSocket& socket_;
    EventPtr readable_;
};

}  // namespace kahu::rpc
