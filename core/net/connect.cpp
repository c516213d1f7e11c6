#include "core/net/connect.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/net/connection_table.h"
#include "core/net/listener.h"
#include "core/net/mailbox.h"
#include "core/net/net_counters.h"
#include "core/net/settings.h"
#include "core/net/stream_channel.h"
#include "core/proc/process_table.h"
#include "mem/contract.h"
#include "mem/heap.h"

namespace kahu::net {
namespace {

constexpr uint32_t kNodesPerRow = 2;
constexpr int kMostSteps = 256;

struct Node {
    std::atomic<uint32_t> next;  // node number + 1; 0 ends the chain
    std::atomic<uint32_t> port;
    std::atomic<uint32_t> bucket_after;  // [tcp main] bucket + 1 it is in; 0: in none
};
struct Area {
    uint32_t buckets;  // a power of two
    alignas(64) mem::MpscQueue<ConnectOrder> orders{mem::Tag::outbound};
};
Area* g_area = nullptr;
std::atomic<uint32_t>* g_heads = nullptr;  // node number + 1
Node* g_nodes = nullptr;

uint32_t bucket_count(size_t rows) { return static_cast<uint32_t>(std::bit_ceil(rows * 2 + 1)); }
uint32_t bucket_of(Transport transport, const SocketAddress& peer, uint16_t port) {
    const uint64_t mixed = (peer.hash_ip() + port * 4u + static_cast<uint32_t>(transport)) * 0x9e3779b97f4a7c15u;
    return static_cast<uint32_t>(mixed >> 32) & (g_area->buckets - 1);
}

bool is_ip_text(std::string_view host) { return SocketAddress::parse_ip(host).has_value(); }

// A TLS connection that we made was verified for one name.  One that the peer made is as good as its certificate, and
// only if the peer said that it takes requests (;alias).
bool name_fits(const Connection& row, bool by_alias, const Destination& to) {
    if (row.transport != Transport::tls) return true;
    const std::string_view host = to.host_name();
    if (row.outbound) return row.host_hash == hash_host(host);
    if (host.empty() || is_ip_text(host)) return true;
    const SecureChannel* const channel = secure_channel();
    return by_alias && channel != nullptr && channel->is_named != nullptr && channel->is_named(row, host);
}
bool fits(const Connection& row, const Node& node, const Destination& to) {
    const bool by_alias = (&node - g_nodes) % kNodesPerRow == static_cast<size_t>(IndexNode::alias);
    return row.transport == to.transport && node.port.load() == to.address.port() && row.peer.same_ip(to.address) &&
           name_fits(row, by_alias, to);
}

// RFC 5923 9.3: a name must be in its certificate; an address must be where it is.
bool may_be_called(const Connection& row, std::string_view host) {
    const SecureChannel* const channel = secure_channel();
    if (channel == nullptr || channel->is_authenticated == nullptr || channel->is_named == nullptr) return false;
    const auto ip = SocketAddress::parse_ip(host);
    return ip ? row.peer.same_ip(*ip) && channel->is_authenticated(row) : channel->is_named(row, host);
}

void take_out(uint32_t number) {
    Node& node = g_nodes[number];
    if (node.bucket_after == 0) return;
    std::atomic<uint32_t>* at = &g_heads[node.bucket_after - 1];
    while (at->load() != 0 && at->load() != number + 1) at = &g_nodes[at->load() - 1].next;
    if (at->load() != 0) at->store(node.next.load());
    node.bucket_after = 0;
}

SocketAddress source_of(const Listener& from, const SocketAddress& to) {
    const std::string& wanted = to.is_v6() ? settings.tcp_source_ipv6.get() : settings.tcp_source_ipv4.get();
    if (const auto ip = SocketAddress::parse_ip(wanted); ip && ip->is_v6() == to.is_v6()) return *ip;
    SocketAddress source = from.address;
    if (settings.tcp_reuse_port == 0) source.set_port(0);
    return source;
}

void set_option(int fd, int level, int name, int64_t value) {
    const int number = static_cast<int>(value);
    ::setsockopt(fd, level, name, &number, sizeof number);
}
void set_options(int fd, bool is_v6) {
    set_type_of_service(fd, is_v6);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (settings.tcp_keepalive != 0) {
        set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        if (settings.tcp_keepidle != 0) set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, settings.tcp_keepidle);
        if (settings.tcp_keepintvl != 0) set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, settings.tcp_keepintvl);
        if (settings.tcp_keepcnt != 0) set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, settings.tcp_keepcnt);
    }
    if (settings.tcp_syncnt != 0) set_option(fd, IPPROTO_TCP, TCP_SYNCNT, settings.tcp_syncnt);
    if (settings.tcp_reuse_port != 0) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    else set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);  // so that many may go to different peers
}

SendFailureHandler g_failure_handler = nullptr;

}  // namespace

size_t connect_area_bytes(size_t rows) {
    return sizeof(Area) + bucket_count(rows) * sizeof(std::atomic<uint32_t>) + rows * kNodesPerRow * sizeof(Node) + 64;
}
void construct_connect_area(void* at, size_t rows) {
    g_area = new (at) Area;  // the rest is zero memory: empty
    g_area->buckets = bucket_count(rows);
    g_heads = reinterpret_cast<std::atomic<uint32_t>*>(g_area + 1);
    g_nodes = reinterpret_cast<Node*>(g_heads + g_area->buckets);
}

// --- the index -----------------------------------------------------------------------------------------
void index_connection(size_t row, IndexNode which, uint16_t port) {
    const uint32_t number = static_cast<uint32_t>(row) * kNodesPerRow + static_cast<uint32_t>(which);
    take_out(number);
    const Connection& connection = connection_row(row);
    const uint32_t bucket = bucket_of(connection.transport, connection.peer, port);
    Node& node = g_nodes[number];
    row_step();
    node.port.store(port);
    node.bucket_after = bucket + 1;
    row_step();
    node.next.store(g_heads[bucket].load());
    row_step();
    g_heads[bucket].store(number + 1, std::memory_order_release);
    row_step();
}
void unindex_connection(size_t row) {
    for (uint32_t i = 0; i < kNodesPerRow; ++i) take_out(static_cast<uint32_t>(row) * kNodesPerRow + i);
}
void rebuild_connection_index() {
    for (uint32_t i = 0; i < g_area->buckets; ++i) g_heads[i].store(0);
    for (size_t row = 0; row < connection_capacity(); ++row) {
        Node* const nodes = &g_nodes[row * kNodesPerRow];
        const bool had_alias = nodes[1].bucket_after != 0;
        for (uint32_t i = 0; i < kNodesPerRow; ++i) nodes[i].bucket_after = 0;
        const Connection& connection = connection_row(row);
        if (connection.id.load() == 0) continue;
        index_connection(row, IndexNode::peer, connection.peer.port());
        if (had_alias) index_connection(row, IndexNode::alias, static_cast<uint16_t>(nodes[1].port.load()));
    }
}

ConnectionId find_connection_to(const Destination& to) {
    const auto usable = [](ConnectionId id) {
        const Connection* row = find_connection(id);
        return row != nullptr && row->state.load() != ConnectionState::closing && !row->kill.load();
    };
    if (to.connection != ConnectionId::none && usable(to.connection)) return to.connection;
    if (g_area == nullptr || to.address.empty()) return ConnectionId::none;
    const uint32_t bucket = bucket_of(to.transport, to.address, to.address.port());
    uint32_t at = g_heads[bucket].load(std::memory_order_acquire);
    for (int steps = 0; at != 0 && steps < kMostSteps; ++steps) {
        const Node& node = g_nodes[at - 1];
        const Connection& row = connection_row((at - 1) / kNodesPerRow);
        const uint64_t id = row.id.load(std::memory_order_acquire);
        if (id != 0 && fits(row, node, to) && usable(ConnectionId{id})) return ConnectionId{id};
        at = node.next.load(std::memory_order_acquire);
    }
    return ConnectionId::none;
}

bool accept_alias(ConnectionId connection, std::string_view host, uint16_t port) {
    const Connection* row = find_connection(connection);
    if (row == nullptr || row->outbound) return false;
    if (row->transport == Transport::tls && !may_be_called(*row, host)) return false;
    const Node& node = g_nodes[row_index(*row) * kNodesPerRow + static_cast<size_t>(IndexNode::alias)];
    if (port == row->peer.port() || (node.bucket_after != 0 && node.port.load() == port)) return true;
    post(tcp_main_slot(), MailKind::alias, connection, port);
    return true;
}

// --- orders --------------------------------------------------------------------------------------------
mem::MpscQueue<ConnectOrder>& connect_orders() { return g_area->orders; }

int tcp_main_slot() {
    static int slot = -2;
    if (slot == -2) {
        slot = -1;
        for (int i = 0; i < proc::process_count(); ++i)
            if (proc::process(i).kind == ProcessKind::tcp_main) slot = i;
    }
    return slot;
}

Sent order_connection(const Destination& to, std::string_view message, uint64_t ticket) {
    const int slot = tcp_main_slot();
    if (slot < 0) return Sent::unreachable;
    const auto size = static_cast<uint32_t>(message.size());
    if (size > settings.tcp_conn_wq_max ||
        queued_bytes_total().load(std::memory_order_relaxed) + size > settings.tcp_wq_max) {
        stats::add(counters.sendq_full);
        return Sent::queue_full;
    }
    void* at = mem::allocate(sizeof(ConnectOrder) + size, mem::Tag::outbound);
    if (at == nullptr) return Sent::no_memory;
    auto* order = new (at) ConnectOrder;
    order->to = to;
    order->ticket = ticket;
    order->bytes = size;
    std::memcpy(order->data(), message.data(), size);
    queued_bytes_total().fetch_add(size, std::memory_order_relaxed);
    if (connect_orders().push(order)) proc::ring(slot);
    return Sent::ok;
}

UniqueFd begin_connect(const Listener& from, const SocketAddress& to, std::string& why) {
    UniqueFd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
        why = std::strerror(errno);
        return fd;
    }
    set_options(fd.get(), to.is_v6());
    const SocketAddress source = source_of(from, to);
    if (!source.is_wildcard() && ::bind(fd.get(), source.raw(), source.raw_size()) != 0) {
        why = "could not bind to " + source.text() + ": " + std::strerror(errno);
        return UniqueFd();
    }
    if (::connect(fd.get(), to.raw(), to.raw_size()) != 0 && errno != EINPROGRESS && errno != EINTR) {
        why = std::strerror(errno);
        return UniqueFd();
    }
    return fd;
}

uint64_t hash_host(std::string_view host) {
    if (host.empty()) return 0;
    char lowered[Destination::kHostBytes];
    const size_t size = std::min(host.size(), sizeof lowered);
    for (size_t i = 0; i < size; ++i) lowered[i] = text::lower(host[i]);
    return hash_bytes(lowered, size) | 1;
}

namespace {
// tcp_conn_wq_max is for what a peer does not take.  As long as its socket takes everything, what is queued only waits
// for the owner's next turn, or for the connect(); on a busy machine that is some hundred messages.
bool fits(Connection& row, uint32_t size) {
    constexpr int64_t kUntilNextTurn = 1 << 20;
    const bool peer_is_slow = std::atomic_ref<char*>(row.tx).load(std::memory_order_relaxed) != nullptr;
    const int64_t most =
        peer_is_slow ? settings.tcp_conn_wq_max : std::max<int64_t>(settings.tcp_conn_wq_max, kUntilNextTurn);
    return row.queued_bytes.load(std::memory_order_relaxed) + size <= most &&
           queued_bytes_total().load(std::memory_order_relaxed) + size <= settings.tcp_wq_max;
}
}  // namespace

Sent queue_message(Connection& row, ConnectionId id, std::string_view bytes, uint64_t ticket, bool& was_empty) {
    was_empty = false;
    const auto size = static_cast<uint32_t>(bytes.size());
    if (!fits(row, size)) {
        stats::add(counters.sendq_full);
        return Sent::queue_full;
    }
    Outgoing* message = Outgoing::make(id, bytes, ticket);
    if (message == nullptr) return Sent::no_memory;
    row.queued_bytes.fetch_add(size, std::memory_order_relaxed);
    queued_bytes_total().fetch_add(size, std::memory_order_relaxed);
    was_empty = row.outgoing.push(message);
    return Sent::ok;
}

void set_send_failure_handler(SendFailureHandler handler) { g_failure_handler = handler; }
void report_send_failure(uint64_t ticket, SendFailure why) {
    if (ticket != 0 && g_failure_handler != nullptr) g_failure_handler(ticket, why);
}

std::string_view name_of(SendFailure why) {
    constexpr std::string_view names[] = {"connect failed", "TLS failed", "connection lost",
                                          "connection ended unanswered", "no resources"};
    return names[static_cast<int>(why)];
}

}  // namespace kahu::net
