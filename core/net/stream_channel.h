// core/net/stream_channel.h -- what tls/ implements for the connection engine.
//
// WHY    The engine (rank 4) moves bytes; it must not know OpenSSL.  tls/ (rank 6) sets one table of
//        functions before the first fork.
// LIVES  The table is static and constant; the state it keeps for a connection hangs off
//        Connection::secure and Connection::secure_info, in the segment.
// LOCKS  Called by the connection's owner only, with Connection::worked_by set; secure_info is read
//        by others.
// FAILS  A channel never logs and closes: it returns failed, having recorded why (the TLS side logs the
//        handshake failure once itself, because it knows profile, SNI and reason); the engine closes.
//
// Bytes from the socket: the engine reads up to 64 KiB with one recv() and hands it over with feed().  The channel must
// consume all of it (OpenSSL keeps what is half a record).  Bytes for the socket: the channel appends ciphertext with
// emit_to_socket(), which the engine sends with one send() at the end of the turn.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/net/connection.h"

namespace kahu::net {

enum class ChannelStatus : unsigned char {
    ok,         // progress; for handshake(): established
    need_more,  // wants bytes from the peer
    closed,     // the peer closed cleanly (close_notify)
    failed,     // fatal: close the connection now
};

struct SecureChannel {
    // False: out of memory or no usable profile; the engine closes the connection.
    bool (*open)(Connection&, bool as_server);
    // The bytes just received; valid until the calls below have consumed them (ended with need_more).
    void (*feed)(Connection&, std::string_view ciphertext);
    ChannelStatus (*handshake)(Connection&);
    // Decrypted bytes into `into`; repeat until need_more.  `got` > 0 only with ok.
    ChannelStatus (*read)(Connection&, char* into, std::size_t room, std::size_t& got);
    // Encrypts all of it (calls emit_to_socket).
    ChannelStatus (*write)(Connection&, std::string_view plaintext);
    // Before the socket is closed in order: close_notify if configured.
    void (*shutdown)(Connection&);
    // Frees Connection::secure and secure_info.  Not called for connections lost with their worker.
    void (*release)(Connection&);
    // Any process: the row was lost with its worker.  Forgets `secure` without touching what may be half-written;
    // returns about how many bytes of the segment that holds for ever.
    std::int64_t (*abandon)(Connection&);
    // A worker that takes over a dead one's row: the TLS state can be gone on with.
    bool (*survived)(const Connection&);
    // The handshake did not end in time, or was cut: for the log ("timeout", "connection reset", ...).
    void (*handshake_cut)(Connection&, std::string_view why);
    // Any process: the peer showed a certificate and it passed verification.
    bool (*is_authenticated)(const Connection&) = nullptr;
    // Any process: it is authenticated, and its certificate names that host or address (RFC 5922 7.1).
    bool (*is_named)(const Connection&, std::string_view host) = nullptr;
};

// Set once, before the first fork; nullptr: TLS listeners are a configuration error.
void set_secure_channel(const SecureChannel* channel);
const SecureChannel* secure_channel();

// For the channel: ciphertext for the socket of the connection being worked on.  False: out of memory or beyond
// tcp_conn_wq_max; the channel returns failed.
bool emit_to_socket(Connection&, std::string_view ciphertext);

}  // namespace kahu::net
