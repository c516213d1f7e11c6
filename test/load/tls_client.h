// tls_client.h -- the client side of OpenSSL: one context for all connections of a run.
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "core/base/result.h"
#include "test/load/options.h"

namespace kahu::load {

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

// FAILS with the option OpenSSL did not like and its reason.
Result<Context> make_client_context(const Options& options);

std::string openssl_reason();                // the newest error in words; empties the queue
std::string fingerprint_of(const SSL* ssl);  // SHA-256 of the peer's certificate, lower-case hex; "" if none

// The bytes of a ClientHello, for connections that send part of one.
std::string client_hello(SSL_CTX* context, const std::string& sni);

}  // namespace kahu::load
