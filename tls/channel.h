// tls/channel.h -- TLS for the connection engine: implements core/net/stream_channel.h with OpenSSL.
//
// WHY    The engine owns the socket; an SSL in the segment must not know a file descriptor, which would mean another
//        thing in the next process.  So OpenSSL reads from the bytes the engine has just received and writes into the
//        engine's output buffer, without a memory BIO in between.
// LIVES  Connection::secure is a Channel (below), in OpenSSL's memory like the SSL.  Nothing reachable from it points
//        at process-private memory; function addresses are the same in every process.
// LOCKS  None: the connection's owner only.
// FAILS  As the engine's contract says; a failed handshake is logged here, once (tls/handshake.h).
//
// SNI: each new connection begins with the context for its addresses and, as soon as the ClientHello is there and
// before OpenSSL looks for a session to resume, is switched to the one that fits its server name.  So a session made
// under one profile is never resumed under another with a stricter policy.
#pragma once
#include <openssl/types.h>

#include <cstdint>
#include <string_view>

#include "core/module/setting.h"
#include "core/net/stream_channel.h"

namespace kahu::tls {

extern IntSetting send_close_notify;  // boolean, default 0 as in Kamailio

// For net::set_secure_channel().
const net::SecureChannel& secure_channel();

// build_context() calls this last, for every context: modes, options, number of tickets, the callbacks for SNI, private
// keys, tickets, sessions and failures.  `policy`: everything that must be equal for a session made under one context
// to be resumed under another: the profile's name, its verification settings, content hashes of CA list and CRL; not
// the certificate, so that sessions outlive a renewal.
bool configure_context(SSL_CTX* context, bool as_server, std::string_view policy);

// What a callback of OpenSSL needs: the connection behind an SSL; nullptr for one that is not the engine's (a check).
net::Connection* connection_of(const SSL* ssl);

// For verification callbacks: why the handshake is going to fail, in words; the first one counts and is logged.
void explain_failure(SSL* ssl, std::string_view reason);

// BIO method and ex_data index; before the first fork, by boot_openssl().
bool prepare_channels();

}  // namespace kahu::tls
