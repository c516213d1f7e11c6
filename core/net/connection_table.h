// core/net/connection_table.h -- making and freeing rows of the connection table (core/net/connection.h).
//
// LOCKS  None: only tcp main makes and frees rows.  A worker that is done with a row withdraws its id and
//        retires it; tcp main closes its duplicate of the descriptor and frees the row.
// DEATH  Of a worker between withdrawing and retiring: the row says `closing` and its owner; tcp main finds it when
//        it goes through the dead worker's rows.  Of tcp main: its successor goes through all rows.
#pragma once
#include "core/net/connection.h"
#include "core/net/listener.h"
#include "mem/failure.h"

namespace kahu::net {

// Rows for as many connections as configured, and some for those that are being closed.
size_t connection_rows_wanted();
size_t connection_table_bytes();
void construct_connection_table(void* at, size_t bytes);

// A row that is not published yet: as accepted from `peer` at `listener`, for the worker `owner` to serve.
void fill_connection(Connection& row, const Listener& listener, const SocketAddress& peer, int owner);
// The same row, if we connect: to `host`, which a TLS certificate must name ("": an address).
void make_outbound(Connection& row, std::string_view host);

// Frees half-received messages and bytes the socket did not take.  The owner, or tcp main after its death.
void empty_connection(Connection& row);

// The process that served it died inside it: forgets its TLS state, which may be half-written, and counts.
void abandon_connection(Connection& row);

size_t row_index(const Connection& row);
// tcp main: the row's next id, published by publish_connection() when its fields are set.
ConnectionId next_id(Connection& row);
void publish_connection(Connection& row, ConnectionId id);
// For tests: a process may be told to die here, between two stores (mem/failure.h).
inline void row_step() { mem::injection_point(mem::Point::row); }
// Owner: nothing of the connection is left but tcp main's descriptor.
void retire_connection(Connection& row);
// tcp main: calls `f(index)` for every row retired since.
size_t take_retired(void (*f)(void* context, size_t index), void* context);

// Bytes queued for all connections together (tcp_wq_max).
std::atomic<int64_t>& queued_bytes_total();
// tcp main: what open_connections() and open_tls_connections() answer.
void set_open(size_t all, size_t tls);

}  // namespace kahu::net
