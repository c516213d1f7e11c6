#include "core/net/connection_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/net/connect.h"
#include "core/net/mailbox.h"
#include "core/net/net_counters.h"
#include "core/net/settings.h"
#include "core/net/stream_channel.h"
#include "mem/contract.h"
#include "mem/heap.h"

namespace kahu::net {
namespace {
struct Table {
    uint64_t rows;
    std::atomic<uint32_t> retired;  // index + 1 of the newest, linked by next_retired
    std::atomic<int64_t> open, open_tls, queued_bytes;
    alignas(64) Connection row[1];
};
Table* g_table = nullptr;
}  // namespace

Outgoing* Outgoing::make(ConnectionId to, std::string_view message, uint64_t ticket) {
    void* at = mem::allocate(sizeof(Outgoing) + message.size(), mem::Tag::outbound);
    if (at == nullptr) return nullptr;
    auto* node = new (at) Outgoing;
    node->id = static_cast<uint64_t>(to);
    node->ticket = ticket;
    node->bytes = static_cast<uint32_t>(message.size());
    std::memcpy(node->data(), message.data(), message.size());
    return node;
}

size_t connection_rows_wanted() {
    const auto limit = static_cast<size_t>(settings.tcp_max_connections);
    return limit + std::clamp<size_t>(limit / 4, 64, 4096);
}
namespace {
size_t rows_bytes() { return (sizeof(Table) + connection_rows_wanted() * sizeof(Connection) + 63) / 64 * 64; }
}  // namespace
size_t connection_table_bytes() { return rows_bytes() + connect_area_bytes(connection_rows_wanted()); }

void construct_connection_table(void* at, size_t bytes) {
    REQUIRE(bytes >= connection_table_bytes());
    g_table = static_cast<Table*>(at);  // zero memory: a row is constructed when it is first used
    g_table->rows = connection_rows_wanted();
    construct_connect_area(static_cast<char*>(at) + rows_bytes(), g_table->rows);
}

size_t connection_capacity() { return g_table ? g_table->rows : 0; }
Connection& connection_row(size_t index) { return g_table->row[index]; }
size_t row_index(const Connection& row) { return static_cast<size_t>(&row - g_table->row); }

Connection* find_connection(ConnectionId id) {
    const auto number = static_cast<uint64_t>(id);
    if (number == 0 || g_table == nullptr) return nullptr;
    Connection& row = g_table->row[(number - 1) % g_table->rows];
    return row.id.load(std::memory_order_acquire) == number ? &row : nullptr;
}

ConnectionId next_id(Connection& row) {
    return ConnectionId{uint64_t{row.uses++} * g_table->rows + row_index(row) + 1};
}
void publish_connection(Connection& row, ConnectionId id) {
    row_step();
    row.id.store(static_cast<uint64_t>(id), std::memory_order_release);
    row_step();
}

// One writer: counts that every process changes drift with every death.
void set_open(size_t all, size_t tls) {
    g_table->open.store(static_cast<int64_t>(all), std::memory_order_relaxed);
    g_table->open_tls.store(static_cast<int64_t>(tls), std::memory_order_relaxed);
    if (all == 0 && connect_orders().empty()) g_table->queued_bytes.store(0, std::memory_order_relaxed);
}
size_t open_connections() { return g_table ? static_cast<size_t>(g_table->open) : 0; }
size_t open_tls_connections() { return g_table ? static_cast<size_t>(g_table->open_tls) : 0; }

void fill_connection(Connection& row, const Listener& listener, const SocketAddress& peer, int owner) {
    row.state.store(ConnectionState::accepted);
    row_step();
    row.owner.store(static_cast<int16_t>(owner));
    row_step();
    row.worked_by.store(0);
    row.kill.store(false);
    row.tells_end.store(false);
    row.transport = listener.transport;
    row.outbound = false;
    row.host_hash = 0;
    row.served = false;
    row.listener = listener.index;
    row.peer = peer;
    row.local = listener.address;
    if (listener.address.is_wildcard()) row.local.set_port(listener.address.port());
    row.opened_unix = clock::unix_seconds();
    row.lifetime_ms.store(static_cast<int32_t>(settings.tcp_connection_lifetime * 1000));
    row.deadline.store(clock::now_ms() + row.lifetime_ms.load());
    row.frame = {};
    row_step();
    row.secure = nullptr;
    row.secure_info.store(nullptr);
    if (row.outgoing.empty()) row.queued_bytes.store(0);
}
void make_outbound(Connection& row, std::string_view host) {
    row.state.store(ConnectionState::connecting);
    row.outbound = true;
    row.host_hash = hash_host(host);
    if (host.empty()) return;
    row.host = static_cast<char*>(mem::allocate(host.size() + 1, mem::Tag::connection));
    if (row.host == nullptr) return;
    std::memcpy(row.host, host.data(), host.size());
    row.host[host.size()] = '\0';
}

// Every pointer goes before what it points to: a death in between costs a block, never a second free.
void empty_connection(Connection& row) {
    const uint32_t waiting = row.tx_bytes - row.tx_at;
    row.tx_at = row.tx_bytes = row.tx_capacity = 0;
    row_step();
    queued_bytes_total().fetch_sub(waiting);
    row_step();
    row.queued_bytes.fetch_sub(waiting);
    mem::deallocate(std::exchange(row.tx, nullptr), mem::Tag::outbound);
    row_step();
    mem::deallocate(std::exchange(row.rx, nullptr), mem::Tag::message);
    row_step();
    row.rx_bytes = row.rx_capacity = 0;
}
void abandon_connection(Connection& row) {
    stats::add(counters.lost_with_worker);
    if (row.secure == nullptr || secure_channel() == nullptr) return;
    stats::add(counters.leaked_bytes, secure_channel()->abandon(row));
}
std::atomic<int64_t>& queued_bytes_total() { return g_table->queued_bytes; }

void retire_connection(Connection& row) {
    const auto me = static_cast<uint32_t>(row_index(row) + 1);
    row_step();
    uint32_t head = g_table->retired.load(std::memory_order_relaxed);
    do row.next_retired = head;
    while (!g_table->retired.compare_exchange_weak(head, me, std::memory_order_release, std::memory_order_relaxed));
    row_step();
}

size_t take_retired(void (*f)(void* context, size_t index), void* context) {
    size_t taken = 0;
    // One at a time: a death between taking and freeing loses one row, not all.  Nobody else takes, so next_retired of
    // the head cannot change under us.
    for (uint32_t head = g_table->retired.load(std::memory_order_acquire); head != 0;) {
        row_step();
        const uint32_t next = g_table->row[head - 1].next_retired;
        if (!g_table->retired.compare_exchange_weak(head, next, std::memory_order_acquire)) continue;
        row_step();
        f(context, head - 1);
        ++taken;
        head = g_table->retired.load(std::memory_order_acquire);
    }
    return taken;
}

bool request_keepalive(ConnectionId id, const Keepalive& how) {
    const Connection* row = find_connection(id);
    if (row == nullptr) return false;
    post(row->owner.load(), MailKind::keepalive, id, how.idle, uint64_t{how.count} << 16 | how.interval);
    return true;
}

bool request_close(ConnectionId id) {
    Connection* row = find_connection(id);
    if (row == nullptr) return false;
    row->kill.store(true);
    if (row->id.load() != static_cast<uint64_t>(id)) {  // closed and perhaps in new use: the flag was not for that one
        row->kill.store(false);
        return false;
    }
    post(row->owner.load(), MailKind::close, id);
    return true;
}

}  // namespace kahu::net
