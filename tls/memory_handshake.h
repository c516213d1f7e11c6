// tls/memory_handshake.h -- a client and a server in one process, without sockets: for the warm-up and for tests.
#pragma once
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "tls/openssl_ptr.h"

namespace kahu::tls {

class MemoryPair {
  public:
    // FAILS: out of memory; connect() then says so.
    MemoryPair(SSL_CTX* server, SSL_CTX* client, SSL_SESSION* resume = nullptr);
    // As the channel does: an end without close_notify is no reason to forget the session.
    ~MemoryPair();
    MemoryPair(const MemoryPair&) = delete;
    MemoryPair& operator=(const MemoryPair&) = delete;

    // The handshake, and one message in each direction so that tickets have arrived.
    // FAILS with the reason of the side that failed first.
    Status connect();
    // close_notify both ways.
    void close();
    bool resumed() const { return SSL_session_reused(server_.get()) == 1; }
    // The client's, resumable once connect() is done.
    OwnedSession session() const { return OwnedSession(SSL_get1_session(client_.get())); }
    SSL* server() const { return server_.get(); }
    SSL* client() const { return client_.get(); }

  private:
    Status echo();
    OwnedSsl server_, client_;
};

}  // namespace kahu::tls
