// options.h -- what the user asked for.  One table (options.cpp) gives each option its name, its
// argument, its help and its effect; `kahu-load --help` is printed from it.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "core/base/address.h"
#include "core/base/result.h"

namespace kahu::load {

enum class Mode : uint8_t { handshake, resume, requests, calls, idle, halfopen, baseline };

struct Options {
    Mode mode = Mode::handshake;
    SocketAddress target;  // HOST:PORT, numeric
    Transport transport = Transport::tls;
    SocketAddress callee;  // calls: where the far end listens
    Transport callee_transport = Transport::udp;
    uint64_t total = 0;  // connections or requests; 0: until `seconds` or `repeats`
    int concurrency = 50;
    double seconds = 0;              // 0: until `total`
    double warmup = 0;               // requests: seconds before counting starts
    uint64_t skip = 0;               // requests: answers before counting starts
    double rate = 0;                 // per second, open loop; 0: closed loop
    int depth = 1;                   // requests under way per connection
    std::string method = "OPTIONS";  // or REGISTER, or GET for an HTTP server
    uint32_t users = 0;              // REGISTER: different addresses of record; 0: one per connection
    bool request = false;            // handshake, idle: send one and expect 200
    bool quiet = false;
    double timeout = 10;      // seconds for a connection to make progress
    uint64_t allow_lost = 0;  // connections that may end unasked; requests opens them anew
    int sources = 0;          // client addresses 127.0.0.2...; 0: as many as ports need
    std::string tls;          // "1.2", "1.3" or both
    std::string ciphers;      // TLS 1.2 list or TLS 1.3 suites
    std::string groups;
    std::string sni;
    std::string ca, certificate, key;  // verify the server; present a client certificate
    bool session_ids = false;          // resume by session id, not by ticket
    double min_resumed = 100;          // percent; less is a failure
    double hold = 0;                   // idle: seconds to hold
    std::string kind = "silent";       // halfopen
    uint64_t expect_closed = 0;        // halfopen: 1: all must have been closed by the server
    std::string at_half, repeat;       // commands (hook.h)
    uint64_t repeats = 0;
    double pause = 0.1;              // seconds between repeats, in which certificates are checked
    std::string expect_fingerprint;  // SHA-256 of the server certificate
    std::string rsa;                 // baseline: "1" for RSA-2048
    pid_t server = 0;
    std::string json;
};

// FAILS with the offending option and what is valid; Errc::not_found when only help was asked for.
Result<Options> parse_options(int argc, char** argv);
std::string help_text();
std::string name_of(Mode mode);

}  // namespace kahu::load
