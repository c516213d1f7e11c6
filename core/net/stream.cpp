#include "core/net/stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/net/connect.h"
#include "core/net/connection_table.h"
#include "core/net/dispatch.h"
#include "core/net/net_counters.h"
#include "core/net/settings.h"
#include "core/net/stream_channel.h"
#include "core/proc/crash_file.h"
#include "core/sip/builder.h"
#include "mem/contract.h"
#include "mem/heap.h"
#include "mem/slot.h"

namespace kahu::net {
namespace {

constexpr size_t kReceiveBytes = 64 * 1024;
// What one turn may read from one connection before the others get theirs.
constexpr size_t kTurnBytes = 256 * 1024;
// Bounds what one turn may answer before it is sent; the peer's own pipelining bounds it too.
constexpr size_t kRecordBytes = 16 * 1024;

const SecureChannel* g_channel = nullptr;
Link* g_link = nullptr;          // whose turn it is
char g_received[kReceiveBytes];  // from the socket
char g_plain[kReceiveBytes];     // decrypted
std::string g_answers;           // plaintext of this turn
std::string g_wire;              // for the socket, of this turn

// Marks the connection as being worked on, so that it is known to be lost if this process dies, and whose it was.
class Turn {
  public:
    explicit Turn(Link& link) : peer_in_hand_({}, link.row->transport, link.row->peer) {
        link.row->worked_by.store(static_cast<int16_t>(mem::current_slot() + 1), std::memory_order_release);
        g_link = &link;
        g_answers.clear();
        g_wire.clear();
    }
    ~Turn() {
        g_link->row->worked_by.store(0, std::memory_order_release);
        g_link = nullptr;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    const proc::MessageInHand peer_in_hand_;
};

void count_queued(Connection& row, int64_t change) {
    row.queued_bytes.fetch_add(static_cast<uint32_t>(change), std::memory_order_relaxed);
    queued_bytes_total().fetch_add(change, std::memory_order_relaxed);
}

bool grow(char*& at, uint32_t& capacity, size_t wanted, mem::Tag tag) {
    if (wanted <= capacity) return true;
    const size_t rounded = std::max<size_t>(wanted, 512);
    auto* more = static_cast<char*>(mem::allocate(rounded, tag));
    if (more == nullptr) return false;
    if (at != nullptr) std::memcpy(more, at, capacity);
    // The row never points to what was freed: whoever finds it after our death frees that.
    capacity = static_cast<uint32_t>(std::min<size_t>(mem::usable_size(more), UINT32_MAX));
    mem::deallocate(std::exchange(at, more), tag);
    return true;
}

// --- out -------------------------------------------------------------------------------------------

// Of what is kept, the part that the socket took gives way: else a peer that always leaves a little makes it grow for
// as long as the connection lasts.
void move_to_front(Connection& row) {
    const uint32_t left = row.tx_bytes - row.tx_at;
    std::memmove(row.tx, row.tx + row.tx_at, left);
    row.tx_at = 0;
    row.tx_bytes = left;
}

bool keep_for_later(Connection& row, std::string_view bytes) {
    if (row.tx_bytes - row.tx_at + bytes.size() > static_cast<size_t>(settings.tcp_conn_wq_max)) {
        stats::add(counters.sendq_full);
        return false;
    }
    if (row.tx_at > 0 && row.tx_bytes + bytes.size() > row.tx_capacity) move_to_front(row);
    if (!grow(row.tx, row.tx_capacity, row.tx_bytes + bytes.size(), mem::Tag::outbound)) return false;
    std::memcpy(row.tx + row.tx_bytes, bytes.data(), bytes.size());
    if (row.tx_at == row.tx_bytes) row.tx_since = clock::now_ms();
    row.tx_bytes += static_cast<uint32_t>(bytes.size());
    count_queued(row, static_cast<int64_t>(bytes.size()));
    return true;
}

// Sends what was kept; true when nothing is left.
bool send_kept(Link& link, bool& failed) {
    Connection& row = *link.row;
    while (row.tx_at < row.tx_bytes) {
        const ssize_t sent = ::send(link.fd, row.tx + row.tx_at, row.tx_bytes - row.tx_at, MSG_NOSIGNAL);
        if (sent < 0) {
            failed = errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
            if (failed || errno != EINTR) return false;
            continue;
        }
        row.tx_at += static_cast<uint32_t>(sent);
        row.tx_since = clock::now_ms();
        count_queued(row, -sent);
    }
    if (row.tx != nullptr) {
        mem::deallocate(std::exchange(row.tx, nullptr), mem::Tag::outbound);
        row.tx_at = row.tx_bytes = row.tx_capacity = 0;
    }
    return true;
}

TurnEnd send_wire(Link& link) {
    if (g_wire.empty()) return TurnEnd::open;
    std::string_view left = g_wire;
    if (link.row->tx == nullptr) {
        const ssize_t sent = ::send(link.fd, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return TurnEnd::send_failed;
        if (sent > 0) left.remove_prefix(static_cast<size_t>(sent));
    }
    const bool kept = left.empty() || keep_for_later(*link.row, left);
    g_wire.clear();
    return kept ? TurnEnd::open : TurnEnd::send_failed;
}

// The answers of this turn: encrypted if need be, and to the socket.
TurnEnd send_answers(Link& link) {
    if (!g_answers.empty()) {
        if (link.row->transport != Transport::tls) {
            g_wire.swap(g_answers);
        } else {
            for (std::string_view left = g_answers; !left.empty();) {
                const std::string_view record = left.substr(0, kRecordBytes);
                if (g_channel->write(*link.row, record) != ChannelStatus::ok) return TurnEnd::tls_failed;
                left.remove_prefix(record.size());
            }
        }
        g_answers.clear();
    }
    return send_wire(link);
}

// What other processes queued goes after what the socket has not taken yet.
void take_queued(Link& link) {
    Connection& row = *link.row;
    if (row.outgoing.empty() || row.state.load(std::memory_order_relaxed) != ConnectionState::established) return;
    row.outgoing.consume(
        [&](Outgoing& message) {
            if (row.tx != nullptr || g_answers.size() > kReceiveBytes) return false;
            count_queued(row, -static_cast<int64_t>(message.bytes));
            if (message.id != static_cast<uint64_t>(link.id)) {  // queued for who had this row before
                report_send_failure(message.ticket, SendFailure::lost);
                return true;
            }
            g_answers.append(message.data(), message.bytes);
            if (message.ticket != 0) link.sent.add(message.ticket, clock::now_ms());
            return true;
        },
        SIZE_MAX);
}

// --- in --------------------------------------------------------------------------------------------

sip::FrameLimits frame_limits() {
    const auto largest = static_cast<uint32_t>(std::max<int64_t>(settings.msg_recv_max_size, settings.tcp_rd_buf_size));
    return {.max_header_bytes = largest,
            .max_message_bytes = largest,
            .accept_no_content_length = settings.tcp_accept_no_cl != 0};
}

Inbound inbound_of(const Link& link) {
    return {.transport = link.row->transport,
            .source = link.row->peer,
            .local = link.row->local,
            .listener = link.row->listener,
            .connection = link.id};
}

// The stream cannot be framed any more: says why where the head can be answered, then the connection closes.
void refuse(const Link& link, std::string_view head, const sip::FrameResult& frame) {
    stats::add(counters.framing_errors);
    LOG_AT_MOST(5, info, "tcp.framing_error", kv("peer", link.row->peer.text()), kv("status", frame.status),
                kv("reason", frame.rule));
    if (frame.bytes == 0) return;
    static sip::Message message;
    sip::Bad bad{};
    message.parse(head.substr(0, frame.bytes), bad);
    if (!message.is_request() || !message.can_be_answered() || message.method() == sip::Method::ack) return;
    const std::string source = link.row->peer.ip();
    sip::build_reply(message, frame.status, {},
                     {.to_tag = "kahu-unframed", .received = source, .received_port = link.row->peer.port()},
                     g_answers);
}

void message_complete(Link& link) {
    Connection& row = *link.row;
    if (row.served) return;
    row.served = true;
    const int64_t seconds = row.transport == Transport::tls
                                ? std::max<int64_t>(settings.tls_connection_timeout, settings.tcp_connection_lifetime)
                                : static_cast<int64_t>(settings.tcp_connection_lifetime);
    row.lifetime_ms.store(static_cast<int32_t>(seconds * 1000), std::memory_order_relaxed);
}

// Hands over every complete frame; returns how many bytes were used, or SIZE_MAX when the stream is broken.
size_t frames(Link& link, std::string_view bytes) {
    Connection& row = *link.row;
    const sip::FrameLimits limits = frame_limits();
    const Inbound from = inbound_of(link);
    size_t used = 0;
    for (;;) {
        const std::string_view rest = bytes.substr(used);
        if (rest.empty()) return used;
        const sip::FrameResult frame = sip::next_frame(rest, row.frame, limits);
        switch (frame.kind) {
        case sip::FrameKind::message:
            message_complete(link);
            dispatch(rest.substr(0, frame.bytes), from);
            break;
        case sip::FrameKind::ping:
            stats::add(counters.pings);
            if (settings.tcp_crlf_ping) g_answers += sip::kPong;
            break;
        case sip::FrameKind::skip: break;
        case sip::FrameKind::need_more: return used;
        case sip::FrameKind::error: refuse(link, rest, frame); return SIZE_MAX;
        }
        used += frame.bytes;
    }
}

bool keep_rest(Connection& row, std::string_view rest) {
    if (rest.empty()) return true;
    if (!grow(row.rx, row.rx_capacity, rest.size(), mem::Tag::message)) return false;
    std::memcpy(row.rx, rest.data(), rest.size());
    row.rx_bytes = static_cast<uint32_t>(rest.size());
    row.rx_since = clock::now_ms();
    return true;
}
void drop_rest(Connection& row) {
    mem::deallocate(std::exchange(row.rx, nullptr), mem::Tag::message);
    row.rx_bytes = row.rx_capacity = 0;
}

TurnEnd plaintext(Link& link, std::string_view bytes) {
    Connection& row = *link.row;
    const proc::MessageInHand in_hand(bytes, row.transport, row.peer);
    if (row.rx == nullptr) {
        const size_t used = frames(link, bytes);
        if (used == SIZE_MAX) return TurnEnd::unframed;
        return keep_rest(row, bytes.substr(used)) ? TurnEnd::open : TurnEnd::no_memory;
    }
    if (row.rx_bytes + bytes.size() > row.rx_capacity &&
        !grow(row.rx, row.rx_capacity, std::max<size_t>(row.rx_bytes + bytes.size(), size_t{row.rx_capacity} * 2),
              mem::Tag::message))
        return TurnEnd::no_memory;
    std::memcpy(row.rx + row.rx_bytes, bytes.data(), bytes.size());
    row.rx_bytes += static_cast<uint32_t>(bytes.size());
    const size_t used = frames(link, {row.rx, row.rx_bytes});
    if (used == SIZE_MAX) return TurnEnd::unframed;
    if (used == row.rx_bytes) {
        drop_rest(row);
    } else if (used > 0) {
        std::memmove(row.rx, row.rx + used, row.rx_bytes - used);
        row.rx_bytes -= static_cast<uint32_t>(used);
        row.rx_since = clock::now_ms();
    }
    return TurnEnd::open;
}

TurnEnd continue_handshake(Link& link) {
    Connection& row = *link.row;
    const ChannelStatus status = g_channel->handshake(row);
    if (status == ChannelStatus::need_more) return TurnEnd::open;
    if (status != ChannelStatus::ok) return TurnEnd::tls_failed;
    row.state.store(ConnectionState::established, std::memory_order_release);
    row.lifetime_ms.store(static_cast<int32_t>(settings.tls_connection_timeout * 1000), std::memory_order_relaxed);
    link.handshake_deadline = 0;
    return TurnEnd::open;
}

// Decrypts all that was fed; hands it over in as large pieces as possible, so that pipelined requests are answered
// together.
TurnEnd decrypt(Link& link) {
    size_t filled = 0;
    TurnEnd end = TurnEnd::open;
    for (;;) {
        size_t got = 0;
        const ChannelStatus status = g_channel->read(*link.row, g_plain + filled, sizeof g_plain - filled, got);
        filled += got;
        if (status == ChannelStatus::ok && filled < sizeof g_plain) continue;
        if (filled > 0) {
            const TurnEnd framed = plaintext(link, {g_plain, filled});
            filled = 0;
            if (framed != TurnEnd::open) return framed;
        }
        if (status == ChannelStatus::ok) continue;
        if (status == ChannelStatus::closed) end = TurnEnd::closed_by_peer;
        if (status == ChannelStatus::failed) end = TurnEnd::tls_failed;
        return end;
    }
}

TurnEnd ciphertext(Link& link, std::string_view bytes) {
    g_channel->feed(*link.row, bytes);
    if (link.row->state.load(std::memory_order_relaxed) != ConnectionState::established) {
        using enum proc::MessageInHand::Form;
        const proc::MessageInHand in_hand(bytes, link.row->transport, link.row->peer, wire);
        const TurnEnd end = continue_handshake(link);
        if (end != TurnEnd::open || link.row->state.load(std::memory_order_relaxed) != ConnectionState::established)
            return end;
    }
    return decrypt(link);
}

void touch(Connection& row) {
    row.deadline.store(clock::now_ms() + row.lifetime_ms.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

// What the peer gets before the link closes: answers to what came before the error, alerts.
TurnEnd finish(Link& link, TurnEnd end) {
    if (end == TurnEnd::tls_failed) g_answers.clear();
    for (;;) {
        if (end == TurnEnd::open) take_queued(link);
        const TurnEnd sent = send_answers(link);
        if (end != TurnEnd::open || sent != TurnEnd::open) return end == TurnEnd::open ? sent : end;
        // What was queued meanwhile: whoever pushes onto a queue that is not empty does not ring.
        const Connection& row = *link.row;
        if (row.tx != nullptr || row.outgoing.empty() || row.state.load() != ConnectionState::established) return end;
    }
}

}  // namespace

void set_secure_channel(const SecureChannel* channel) { g_channel = channel; }
const SecureChannel* secure_channel() { return g_channel; }

bool emit_to_socket(Connection& row, std::string_view bytes) {
    const size_t waiting = row.tx_bytes - row.tx_at;
    if (waiting > 0 &&
        waiting + g_wire.size() + bytes.size() > static_cast<size_t>(settings.tcp_conn_wq_max) + kReceiveBytes)
        return false;
    g_wire.append(bytes);
    return true;
}

Link* working_on() { return g_link; }

Sent answer_in_turn(std::string_view bytes, uint64_t ticket) {
    REQUIRE(g_link != nullptr);
    const Connection& row = *g_link->row;
    const size_t waiting = row.tx_bytes - row.tx_at;
    if (waiting > 0 && waiting + g_answers.size() + bytes.size() > static_cast<size_t>(settings.tcp_conn_wq_max)) {
        stats::add(counters.sendq_full);
        return Sent::queue_full;
    }
    g_answers.append(bytes);
    if (ticket != 0) g_link->sent.add(ticket, clock::now_ms());
    return Sent::ok;
}

TurnEnd open_turn(Link& link) {
    if (link.row->transport != Transport::tls) return TurnEnd::open;
    const Turn turn(link);
    if (!g_channel->open(*link.row, !link.row->outbound)) return TurnEnd::tls_failed;
    if (!link.row->outbound) return TurnEnd::open;
    const TurnEnd end = continue_handshake(link);  // the client speaks first
    const TurnEnd sent = send_wire(link);
    return end == TurnEnd::open ? sent : end;
}

TurnEnd read_turn(Link& link) {
    const Turn turn(link);
    TurnEnd end = TurnEnd::open;
    for (size_t total = 0; end == TurnEnd::open && total < kTurnBytes;) {
        const ssize_t got = ::recv(link.fd, g_received, sizeof g_received, 0);
        if (got == 0) end = TurnEnd::closed_by_peer;
        else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        else if (got < 0 && errno == EINTR) continue;
        else if (got < 0) end = errno == ETIMEDOUT ? TurnEnd::silent : TurnEnd::reset;
        if (got <= 0) break;
        total += static_cast<size_t>(got);
        const std::string_view bytes(g_received, static_cast<size_t>(got));
        end = link.row->transport == Transport::tls ? ciphertext(link, bytes) : plaintext(link, bytes);
        // Less than there was room for: the socket is empty, and epoll tells if more comes.
        if (static_cast<size_t>(got) < sizeof g_received) break;
        if (end == TurnEnd::open && g_answers.size() >= kReceiveBytes) end = send_answers(link);
    }
    touch(*link.row);
    return finish(link, end);
}

TurnEnd write_turn(Link& link) {
    const Turn turn(link);
    bool failed = false;
    if (!send_kept(link, failed)) return failed ? TurnEnd::send_failed : TurnEnd::open;
    if (link.row->state.load() != ConnectionState::established) return TurnEnd::open;
    do {
        take_queued(link);
        if (const TurnEnd end = send_answers(link); end != TurnEnd::open) return end;
    } while (link.row->tx == nullptr && !link.row->outgoing.empty());
    return TurnEnd::open;
}

void last_turn(Link& link) {
    const Turn turn(link);
    bool failed = false;
    send_kept(link, failed);
    if (link.row->transport == Transport::tls && link.row->secure != nullptr) g_channel->shutdown(*link.row);
    if (!failed) (void)send_wire(link);
}

}  // namespace kahu::net
