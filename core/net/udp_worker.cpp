#include "core/net/udp_worker.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "core/base/log.h"
#include "core/net/dispatch.h"
#include "core/net/event_loop.h"
#include "core/net/listener.h"
#include "core/net/net_counters.h"
#include "core/proc/process_table.h"
#include "mem/contract.h"

namespace kahu::net {
namespace {

constexpr size_t kBatch = 32;
constexpr int kBatchesPerTurn = 4;           // then timers, signals and mail have their turn: a flood never ends
constexpr size_t kDatagramBytes = 65536;     // the largest there is
constexpr size_t kAnswerBytes = 256 * 1024;  // of a whole batch

struct Batch {
    mmsghdr in[kBatch];
    iovec in_parts[kBatch];
    SocketAddress from[kBatch];
    char received[kBatch][kDatagramBytes];

    mmsghdr out[kBatch * 2];
    iovec out_parts[kBatch * 2];
    SocketAddress to[kBatch * 2];
    size_t answers = 0;
    char answer_bytes[kAnswerBytes];
    size_t answer_used = 0;
};

std::unique_ptr<Batch> g_batch;
uint16_t g_listener = UINT16_MAX;
int g_socket = -1;
DatagramFilter g_filter = nullptr;
bool g_receiving = false;  // only then is there an end of the batch at which the answers leave

void send_answers() {
    Batch& batch = *g_batch;
    size_t sent = 0;
    while (sent < batch.answers) {
        const int n = ::sendmmsg(g_socket, batch.out + sent, static_cast<unsigned>(batch.answers - sent),
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {  // the one at `sent` cannot be sent (no route, full buffer): go on with the next
            stats::add(counters.udp_send_failed);
            ++sent;
            continue;
        }
        stats::add(counters.udp_sent, n);
        stats::add(counters.messages_sent, n);
        sent += static_cast<size_t>(n);
    }
    batch.answers = batch.answer_used = 0;
}

bool is_keepalive(std::string_view datagram) {  // CRLF, NULs or a few blanks: RFC 5626 and common phones
    return datagram.size() <= 4 && datagram.find_first_not_of(std::string_view("\r\n\0 ", 4)) == datagram.npos;
}

void receive() {
    Batch& batch = *g_batch;
    for (int turns = 0; turns < kBatchesPerTurn; ++turns) {
        clock::tick();
        for (size_t i = 0; i < kBatch; ++i) batch.in[i].msg_hdr.msg_namelen = SocketAddress::capacity();
        const int n = ::recvmmsg(g_socket, batch.in, kBatch, MSG_DONTWAIT, nullptr);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        stats::add(counters.udp_received, n);
        const Listener& listener = listeners()[g_listener];
        Inbound inbound{.transport = Transport::udp, .local = listener.address, .listener = g_listener};
        g_receiving = true;
        for (int i = 0; i < n; ++i) {
            const std::string_view datagram(batch.received[i], batch.in[i].msg_len);
            if (is_keepalive(datagram)) continue;
            inbound.source = batch.from[i];
            if (g_filter == nullptr || !g_filter(datagram, inbound)) dispatch(datagram, inbound);
        }
        g_receiving = false;
        send_answers();
        if (n < static_cast<int>(kBatch)) return;
    }
}

// A datagram wakes one worker, not all that share the socket.  libevent has no EPOLLEXCLUSIVE and does not tell which
// epoll set is its own; but only that one can give up the socket.  An epoll set of ours inside libevent's would not do:
// the kernel then wakes everybody all the same.  REQUIRES: libevent watches `socket`.
bool watch_exclusively(int socket) {
    constexpr int kMostSearched = 4096;
    for (int fd = 0; fd < kMostSearched; ++fd) {
        if (::epoll_ctl(fd, EPOLL_CTL_DEL, socket, nullptr) != 0) continue;
        epoll_event interest{};
        interest.events = EPOLLIN | EPOLLEXCLUSIVE;
        interest.data.fd = socket;
        REQUIRE(::epoll_ctl(fd, EPOLL_CTL_ADD, socket, &interest) == 0);
        return true;
    }
    return false;
}

void prepare_batch() {
    // 2 MB, of which only what datagrams reach is ever in memory: it must not be zeroed.
    g_batch = std::make_unique_for_overwrite<Batch>();
    Batch& batch = *g_batch;
    for (size_t i = 0; i < kBatch; ++i) {
        batch.in_parts[i] = {batch.received[i], kDatagramBytes};
        batch.in[i] = {};
        batch.in[i].msg_hdr.msg_iov = &batch.in_parts[i];
        batch.in[i].msg_hdr.msg_iovlen = 1;
        batch.in[i].msg_hdr.msg_name = batch.from[i].raw();
    }
}

}  // namespace

void set_datagram_filter(DatagramFilter filter) { g_filter = filter; }

bool answer_in_batch(uint16_t listener, const SocketAddress& to, std::string_view bytes) {
    if (listener != g_listener || !g_receiving) return false;
    Batch& batch = *g_batch;
    if (batch.answers == std::size(batch.out) || batch.answer_used + bytes.size() > kAnswerBytes) send_answers();
    if (bytes.size() > kAnswerBytes) return false;
    char* at = batch.answer_bytes + batch.answer_used;
    std::memcpy(at, bytes.data(), bytes.size());
    batch.answer_used += bytes.size();
    const size_t i = batch.answers++;
    batch.to[i] = to;
    batch.out_parts[i] = {at, bytes.size()};
    batch.out[i] = {};
    batch.out[i].msg_hdr.msg_name = batch.to[i].raw();
    batch.out[i].msg_hdr.msg_namelen = batch.to[i].raw_size();
    batch.out[i].msg_hdr.msg_iov = &batch.out_parts[i];
    batch.out[i].msg_hdr.msg_iovlen = 1;
    return true;
}

void flush_batch() {
    if (g_batch != nullptr && g_batch->answers != 0) send_answers();
}

int run_udp_worker(int slot) {
    const int index = proc::process(slot).listener;
    REQUIRE(index >= 0);
    prepare_batch();
    g_listener = static_cast<uint16_t>(index);
    g_socket = listeners()[static_cast<size_t>(index)].fd.get();

    EventLoop loop(slot);
    event* readable = event_new(
        loop.base(), g_socket, EV_READ | EV_PERSIST, [](evutil_socket_t, short, void*) { receive(); }, nullptr);
    REQUIRE(readable != nullptr && event_add(readable, nullptr) == 0);
    if (!watch_exclusively(g_socket)) LOG(debug, "udp.every_worker_wakes", kv("reason", "no epoll set found"));
    loop.run();
    event_free(readable);
    return 0;
}

}  // namespace kahu::net
