// callee.h -- the far end of calls: a UDP socket, or a listening TCP or TLS socket, that the server under test sends
// to. It only carries messages; what they mean is up to its owner.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "test/load/call_text.h"
#include "test/load/connection.h"
#include "test/load/tls_client.h"

namespace kahu::load {

// One way back to the server: an accepted connection, or the UDP socket.
class Leg {
  public:
    virtual ~Leg() = default;
    virtual bool reply(std::string_view bytes) = 0;  // false: the connection is gone
};

class Callee {
  public:
    using OnRequest = std::function<void(const CallMessage&, Leg&)>;

    Callee(Wire& wire, OnRequest on_request);
    ~Callee();
    // Listens on options.callee.  FAILS when the port is taken.
    Status listen();
    std::string uri() const;
    uint64_t connections() const { return connections_; }
    uint64_t not_understood() const { return not_understood_; }
    bool stream() const { return wire_.options.callee_transport != Transport::udp; }

  private:
    class Acceptor;
    class Stream;
    class Datagram;
    size_t take(std::string_view bytes, Leg& leg);

    Wire& wire_;
    OnRequest on_request_;
    Context tls_;
    std::unique_ptr<Acceptor> acceptor_;
    std::unique_ptr<Datagram> datagram_;
    std::vector<std::unique_ptr<Stream>> streams_;  // kept after their end: calls point at them
    uint64_t connections_ = 0, not_understood_ = 0;
};

}  // namespace kahu::load
