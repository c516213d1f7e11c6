// core/net/connection.h -- every open TCP or TLS connection, shared by all processes.
//
// WHY    Any process may want to send on a connection or list it, but only its owner touches its
//        socket and its TLS state.  Because all of its state is here, ownership can move: after a
//        worker's death its successor goes on with the next byte.
// LIVES  A part of the segment, one row per possible connection (tcp_max_connections); rows never
//        move.  An empty row costs address space only.
// LOCKS  None.  `id` is published last and withdrawn first.  Fields marked [owner] are written by the
//        owner only; [fixed] ones before the id is published.  Others use atomics.
// DEATH  `worked_by` names the slot that is inside the connection's code.  A row whose worked_by is the
//        dead slot is lost: its socket is shut down and its TLS state leaked (it may be half-written).
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/net/inbound.h"
#include "core/sip/frame.h"
#include "mem/mpsc_queue.h"

namespace kahu::net {

enum class ConnectionState : uint8_t { free, accepted, connecting, handshaking, established, closing };

// A message on its way to a connection, put there by any process.
struct Outgoing : mem::QueueNode {
    uint64_t id;      // of the connection it is for: the row may serve another by now
    uint64_t ticket;  // the sender's, told when the message cannot leave (core/net/destination.h); 0: nobody asks
    uint32_t bytes;
    char* data() { return reinterpret_cast<char*>(this + 1); }
    static Outgoing* make(ConnectionId to, std::string_view message, uint64_t ticket = 0);  // nullptr: out of memory
};

struct Connection {
    std::atomic<uint64_t> id;  // ConnectionId; 0 while the row is free or being made
    std::atomic<ConnectionState> state;
    std::atomic<int16_t> owner;           // slot; -1 while tcp main has it
    std::atomic<int16_t> worked_by;       // slot + 1 of the process inside this connection, 0 none
    std::atomic<bool> kill;               // tls.kill, core.tcp_kill: the owner closes it at its next turn
    std::atomic<bool> tells_end;          // core/net/connection_events.h
    Transport transport;                  // [fixed]
    bool outbound;                        // [fixed] we connected
    bool served;                          // [owner] a SIP message came over it
    uint16_t listener;                    // [fixed] index into listeners()
    uint32_t uses;                        // [tcp main] how often this row was used
    uint32_t next_retired;                // [owner, then tcp main] row index + 1
    SocketAddress peer, local;            // [fixed]
    int64_t opened_unix;                  // [fixed] seconds
    uint64_t host_hash;                   // [fixed] of `host`, for who looks for a connection; 0: none
    char* host;                           // [fixed] outbound: the domain it was made for; mem::Tag::connection, or null
    std::atomic<clock::Millis> deadline;  // [owner] closed when it passes without progress
    std::atomic<int32_t> lifetime_ms;     // [owner] what the deadline is re-armed with

    // Receiving: bytes of a message that is not complete yet; null as long as there is none.
    sip::FrameState frame;           // [owner]
    char* rx;                        // [owner] mem::Tag::message
    uint32_t rx_bytes, rx_capacity;  // [owner]
    clock::Millis rx_since;          // [owner] when its first byte came

    // Sending: messages other processes queued, then bytes the socket did not take yet.
    mem::MpscQueue<Outgoing> outgoing{mem::Tag::outbound};
    std::atomic<uint32_t> queued_bytes;  // both of the above; tcp_conn_wq_max bounds it once tx is there
    char* tx;                            // [owner; others look if it is null] mem::Tag::outbound; bytes for the socket
    uint32_t tx_at, tx_bytes, tx_capacity;  // [owner]
    clock::Millis tx_since;                 // [owner] when the socket last took a byte while some were waiting

    // TLS: what the secure channel (core/net/stream_channel.h) keeps for this connection.
    void* secure;                    // [owner] the SSL and its state
    std::atomic<void*> secure_info;  // published once established; read by any process until the row is freed
};

// nullptr if no such connection is open.  The row stays a row, but may be freed and reused at any time unless the
// caller is its owner: read atomics, copy, then check the id again.
Connection* find_connection(ConnectionId id);
// All rows, free ones included: for lists.
std::size_t connection_capacity();
Connection& connection_row(std::size_t index);
std::size_t open_connections();  // all
std::size_t open_tls_connections();
// Asks the owner to close it; false if there is no such connection.
bool request_close(ConnectionId id);
// The kernel's probes for one connection, in seconds; `idle` 0: none.  Each at most 32767, as the kernel takes them.
struct Keepalive {
    uint16_t idle = 0, count = 0, interval = 0;
};
// Asks the owner; false if there is no such connection.
bool request_keepalive(ConnectionId id, const Keepalive& how);

}  // namespace kahu::net
