// tls/handshake.h -- how a handshake ended: classified, counted, logged once.
//
// WHY    "TLS does not work" is the commonest question of a SIP operator: the answer belongs in one line with peer,
//        name, profile, reason in words and the alert.
// LIVES  Counters per slot (core/stats); the rate limit per process.
// LOCKS  None.
// FAILS  Never.
#pragma once
#include <openssl/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/module/descriptor.h"
#include "core/net/connection.h"

namespace kahu::tls {

// Row i of kFailureClasses (handshake.cpp) is class i: its counter and its usual text.
enum class FailureClass : uint8_t {
    no_shared_cipher,
    unsupported_protocol,
    not_tls,
    peer_alert,        // the peer refused us
    peer_certificate,  // we refused the peer's certificate, or it sent none
    own_certificate,   // ours does not work for this peer: no profile, no certificate, key, signature algorithm
    malformed,         // decode errors, bad records, unexpected messages
    timeout,
    connection_lost,  // closed or reset half-way
    internal,         // out of memory
    count_
};

struct Failure {
    FailureClass class_ = FailureClass::internal;
    std::string reason;  // in words, one line, printable
    int alert = -1;      // the number sent or received; -1: none
    bool alert_from_peer = false;
};

// REQUIRES: OpenSSL's error queue is as the failed call left it; empties it.  `first_bytes`: what the peer sent first.
Failure classify(const SSL* ssl, std::string_view explained, int alert, bool alert_from_peer,
                 std::string_view first_bytes);

// Counts and logs (tls.handshake.failed), at most 20 lines a second, and one when the fault is ours; the next line
// says how many were left out.
// `ssl` may be null; `hello_name`: the SNI if the SSL does not know it yet.
void report_failure(const net::Connection& connection, const SSL* ssl, const Failure& failure,
                    std::string_view hello_name);
// Counts by version, resumed or full, client or server; logs tls.handshake.done at level debug.
void report_success(const net::Connection& connection, const SSL* ssl, clock::Millis took);

// "unknown ca" for 48 (RFC 8446 section 6); "" if there is none of that number.
std::string_view alert_name(int number);

// Rows for the module's descriptor.
std::span<const Counter> handshake_counters();

}  // namespace kahu::tls
