// connection.h -- one non-blocking client connection: UDP, TCP or TLS.  A mode derives its slot from
// it and is told what happens; a slot is used for many connections, one after the other.
//
//     start() -> opened() -> received()... -> ended("closed by the server")
//        \-> ended("handshake: certificate verify failed")
// close() ends it from this side without ended().  Callbacks may call send() and close(), never start().
#pragma once
#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "test/load/loop.h"
#include "test/load/options.h"

namespace kahu::load {

// What all connections of a run have in common.
struct Wire {
    const Options& options;
    Loop& loop;
    SSL_CTX* tls = nullptr;  // null: no TLS
    unsigned sources = 0;    // client addresses to spread over; 0: the system chooses
    unsigned next_source = 0;
};

class Connection : public Handler {
  public:
    explicit Connection(Wire& wire) : wire_(wire), datagram_(wire.options.transport == Transport::udp) {}
    ~Connection() { release(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // resume may be null.  Failures are told by ended(), also those known at once.
    void start(Nanos at, SSL_SESSION* resume = nullptr);
    // The other direction: an accepted stream.  server_context null: plain TCP.
    void adopt(UniqueFd accepted, SSL_CTX* server_context);
    void send(std::string_view bytes);
    void say_goodbye();  // TLS: close_notify; TCP: half close.  The server's end follows as ended("").
    void close();
    bool is_open() const { return static_cast<bool>(fd_); }
    Nanos since() const { return since_; }  // last progress
    SSL* ssl() const { return ssl_; }
    void ready() final;

  protected:
    virtual void opened() = 0;
    virtual size_t received(std::string_view bytes) = 0;  // returns how many were used
    virtual void drained() {}                             // all that has come so far was read
    virtual void ended(const std::string& reason) = 0;    // "" after say_goodbye()
    Wire& wire_;

  private:
    enum class Phase : uint8_t { connecting, handshaking, open, leaving };
    bool open_socket();
    void secure(SSL_SESSION* resume);
    void handshake();
    void connected();
    void read_all();
    long read_some(char* to, size_t room);  // >0 bytes, 0 not now, <0 ended, see end_reason_
    long write_some(std::string_view bytes);
    void deliver(char* buffer, size_t size);
    void flush();
    void fail(const std::string& reason);
    void release();

    bool datagram_;
    UniqueFd fd_;
    SSL* ssl_ = nullptr;
    Phase phase_ = Phase::connecting;
    Nanos since_ = 0;
    std::string unsent_, unused_;  // bytes the kernel did not take yet; bytes of an incomplete answer
    std::string end_reason_;
};

}  // namespace kahu::load
