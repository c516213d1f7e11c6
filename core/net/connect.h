// core/net/connect.h -- outgoing connections: who is already connected, and orders to tcp main to connect.
//
// WHY    Only tcp main makes rows of the connection table, so that no lock is needed there.  A sender in any process
//        looks for an open connection by (transport, peer address); if there is none it posts the message to tcp main,
//        which merges orders for the same destination, makes a row, begins a non-blocking connect() and hands the
//        descriptor to the least loaded worker.  The message waits in the row's queue, as any other does.
// LIVES  Behind the connection table, in its part of the segment.  Two index nodes per row: the peer's address and
//        port, and the port of its ;alias (RFC 5923).
// LOCKS  None.  tcp main alone writes the index.  A reader may be led into another chain by a change; its steps are
//        bounded and what it finds is compared with the row, so that the worst is not to find a connection.
// DEATH  tcp main's successor rebuilds the index from the rows and goes on with the orders.
#pragma once
#include <string>

#include "core/base/fd.h"
#include "core/net/connection.h"
#include "core/net/destination.h"

namespace kahu::net {

struct Listener;

size_t connect_area_bytes(size_t rows);
void construct_connect_area(void* at, size_t rows);

// --- the index; tcp main only --------------------------------------------------------------------------
enum class IndexNode : uint32_t { peer, alias };
// REQUIRES: the row's fixed fields are set.
void index_connection(size_t row, IndexNode which, uint16_t port);
void unindex_connection(size_t row);
// After tcp main's death: all rows that are open, from scratch.
void rebuild_connection_index();

// Any process: the owner of the connection asked for ;alias, with that sent-by.  False: there is no such connection, or
// TLS does not know who is at its other end, or that it is not the one of sent-by (RFC 5923 9.3: who takes the name of
// another would get what is sent to it).
bool accept_alias(ConnectionId connection, std::string_view host, uint16_t port);

// --- orders --------------------------------------------------------------------------------------------
struct ConnectOrder : mem::QueueNode {
    Destination to;
    uint64_t ticket;
    uint32_t bytes;
    char* data() { return reinterpret_cast<char*>(this + 1); }
    std::string_view message() { return {data(), bytes}; }
};
// Any process.  Bounded by tcp_wq_max.
Sent order_connection(const Destination& to, std::string_view message, uint64_t ticket);
mem::MpscQueue<ConnectOrder>& connect_orders();
int tcp_main_slot();  // -1: there is none

// tcp main: a socket that is connecting, or no socket and why.  The listener's address is where it comes from, unless
// tcp_source_ipv4 or tcp_source_ipv6 says another.
UniqueFd begin_connect(const Listener& from, const SocketAddress& to, std::string& why);

// --- for rows ------------------------------------------------------------------------------------------
uint64_t hash_host(std::string_view host);  // letters in either case; 0 for none
// Puts a message into a row's queue.  `was_empty`: the owner must be told; whoever pushes onto a queue that is not
// empty need not.
Sent queue_message(Connection& row, ConnectionId id, std::string_view message, uint64_t ticket, bool& was_empty);

// Calls the failure handler, in this process.
void report_send_failure(uint64_t ticket, SendFailure why);

}  // namespace kahu::net
