#include "core/net/tcp_worker.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/net/blocklist.h"
#include "core/net/connect.h"
#include "core/net/connection_events.h"
#include "core/net/connection_table.h"
#include "core/net/event_loop.h"
#include "core/net/handover.h"
#include "core/net/link.h"
#include "core/net/mailbox.h"
#include "core/net/net_counters.h"
#include "core/net/settings.h"
#include "core/net/stream.h"
#include "core/net/stream_channel.h"
#include "core/proc/child.h"
#include "core/proc/process_table.h"
#include "mem/contract.h"
#include "mem/heap.h"

namespace kahu::net {

class TcpWorker {
  public:
    explicit TcpWorker(int slot)
        : slot_(slot), loop_(slot), channel_(proc::channel(slot).worker_end), links_(connection_capacity()) {}

    int run() {
        loop_.on_doorbell([this] { read_mail(); });
        loop_.every(1000, [this] { sweep(); });
        event* inbox = event_new(
            loop_.base(), channel_, EV_READ | EV_PERSIST,
            [](evutil_socket_t, short, void* self) {
                clock::tick();
                static_cast<TcpWorker*>(self)->receive_connections();
            },
            this);
        REQUIRE(inbox != nullptr && event_add(inbox, nullptr) == 0);
        if (proc::process(slot_).incarnation.load() > 1) take_over();
        loop_.run();
        finish();
        event_free(inbox);
        return 0;
    }

  private:
    // --- connections come ---------------------------------------------------------------------------
    void take_over() {
        proc::process(slot_).load.store(0);
        Handover request;
        request.kind = HandoverKind::adopt;
        if (!send_handover(channel_, request)) LOG(error, "tcp.adoption_not_asked", kv("errno", errno));
        read_mail();
    }

    void receive_connections() {
        Handover message;
        while (receive_handover(channel_, message)) {
            if (message.kind == HandoverKind::give_back) give_back(message.round);
            for (uint32_t i = 0; i < message.count; ++i) serve(ConnectionId{message.ids[i]}, message.fds[i]);
        }
    }

    void serve(ConnectionId id, int fd) {
        Connection* row = find_connection(id);
        if (row == nullptr || row->owner.load() != slot_ || links_[row_index(*row)] != nullptr) {
            ::close(fd);  // closed meanwhile, or it came twice: in its predecessor's mail and by adoption
            return;
        }
        auto link = std::make_unique<Link>();
        link->row = row;
        link->id = id;
        link->fd = fd;
        link->worker = this;
        Link& it = *link;
        links_[row_index(*row)] = std::move(link);
        row_step();
        proc::process(slot_).load.fetch_add(1, std::memory_order_relaxed);
        if (row->worked_by.load() != 0 || !survived(*row)) {
            lost_with_predecessor(it);
            return;
        }
        start(it);
    }

    void start(Link& link) {
        event_assign(&link.readable, loop_.base(), link.fd, EV_READ | EV_PERSIST, on_readable, &link);
        event_assign(&link.writable, loop_.base(), link.fd, EV_WRITE | EV_PERSIST, on_writable, &link);
        Connection& row = *link.row;
        if (row.state.load() == ConnectionState::connecting) return wait_for_connect(link);
        const bool fresh = row.state.load() == ConnectionState::accepted;
        if (fresh) {
            const bool tls = row.transport == Transport::tls;
            row_step();
            row.state.store(tls ? ConnectionState::handshaking : ConnectionState::established);
            row_step();
            row.lifetime_ms.store(static_cast<int32_t>(settings.tcp_connection_lifetime * 1000));
            row.deadline.store(clock::now_ms() + row.lifetime_ms.load());
        } else {
            stats::add(counters.adopted);
        }
        if (row.state.load() == ConnectionState::handshaking)
            link.handshake_deadline = clock::now_ms() + settings.tls_handshake_timeout * 1000;
        // An adopted row whose predecessor died before it opened the TLS side gets one now.
        if (row.transport == Transport::tls && row.secure == nullptr) {
            if (row.outbound && is_refused(link)) return close(link, TurnEnd::tls_failed);
            if (const TurnEnd end = open_turn(link); end != TurnEnd::open) {
                close(link, end);
                return;
            }
        }
        if (event_add(&link.readable, nullptr) != 0) {
            close(link, TurnEnd::no_memory);
            return;
        }
        if (!fresh) after_turn(link, write_turn(link));
    }

    // --- outgoing connections -------------------------------------------------------------------------
    void wait_for_connect(Link& link) {
        link.connect_deadline = clock::now_ms() + settings.tcp_connect_timeout * 1000;
        link.waits_to_write = true;
        if (event_add(&link.writable, nullptr) != 0) close(link, TurnEnd::no_memory);
    }
    void connect_ended(Link& link) {
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(link.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        if (error != 0) return connect_failed(link, std::strerror(error));
        Connection& row = *link.row;
        const bool tls = row.transport == Transport::tls;
        stats::add(counters.connect_success);
        stats::add(counters.established);
        link.connect_deadline = 0;
        link.waits_to_write = false;
        row_step();
        event_del(&link.writable);
        if (tls) link.handshake_deadline = clock::now_ms() + settings.tls_handshake_timeout * 1000;
        row.state.store(tls ? ConnectionState::handshaking : ConnectionState::established);
        row_step();
        row.deadline.store(clock::now_ms() + row.lifetime_ms.load());
        if (tls && is_refused(link)) return close(link, TurnEnd::tls_failed);
        if (const TurnEnd end = open_turn(link); end != TurnEnd::open) return close(link, end);
        if (event_add(&link.readable, nullptr) != 0) return close(link, TurnEnd::no_memory);
        after_turn(link, write_turn(link));
    }
    // Whoever dies in the filter does not leave its successor the same question.
    bool is_refused(Link& link) const {
        const OutgoingFilter filter = outgoing_filter();
        if (filter == nullptr) return false;
        link.row->worked_by.store(static_cast<int16_t>(slot_ + 1));
        const bool refused = !filter(link.id, *link.row);
        link.row->worked_by.store(0);
        return refused;
    }
    void connect_failed(Link& link, std::string_view why) {
        stats::add(counters.connect_failed);
        note_failed_destination(link.row->transport, link.row->peer, kBlockConnect);
        if (connect_log_.allow())
            LOG(warn, "tcp.connect_failed", kv("peer", link.row->peer.text()),
                kv("transport", name_of(link.row->transport)), kv("reason", why),
                kv("suppressed", connect_log_.suppressed()));
        close(link, TurnEnd::reset);
    }

    // Without OpenSSL in the segment no TLS connection does: its peer is told at once, not when it asks next.
    static bool survived(const Connection& row) {
        return row.transport != Transport::tls || secure_channel() == nullptr || secure_channel()->survived(row);
    }
    void lost_with_predecessor(Link& link) {
        if (lost_log_.allow())
            LOG(warn, "tcp.lost_with_worker", kv("connection", static_cast<uint64_t>(link.id)),
                kv("peer", link.row->peer.text()), kv("suppressed", lost_log_.suppressed()));
        row_step();
        abandon_connection(*link.row);
        row_step();
        discard(link);
    }

    // For a successor of tcp main: duplicates of all that we have.
    void give_back(uint32_t round) {
        Handover message;
        message.kind = HandoverKind::returned;
        message.round = round;
        for (const auto& link : links_) {
            if (link == nullptr) continue;
            message.ids[message.count] = static_cast<uint64_t>(link->id);
            message.fds[message.count++] = link->fd;
            if (message.count == Handover::kMax) {
                send_blocking(message);
                message.count = 0;
            }
        }
        send_blocking(message);
    }
    void send_blocking(const Handover& message) {
        for (int tries = 0; tries < 200 && !send_handover(channel_, message); ++tries) ::usleep(1000);
    }

    // --- turns --------------------------------------------------------------------------------------
    static void on_readable(evutil_socket_t, short, void* at) {
        clock::tick();
        Link& link = *static_cast<Link*>(at);
        link.worker->after_turn(link, read_turn(link));
    }
    static void on_writable(evutil_socket_t, short, void* at) {
        clock::tick();
        Link& link = *static_cast<Link*>(at);
        if (link.connect_deadline != 0) link.worker->connect_ended(link);
        else link.worker->after_turn(link, write_turn(link));
    }

    void after_turn(Link& link, TurnEnd end) {
        if (end != TurnEnd::open) {
            close(link, end);
            return;
        }
        const bool waits = link.row->tx != nullptr;
        if (waits == link.waits_to_write) return;
        if (waits) event_add(&link.writable, nullptr);
        else event_del(&link.writable);
        link.waits_to_write = waits;
    }

    void read_mail() {
        // Whoever posts into a box that is not empty does not ring.
        while (!mailbox(slot_).empty()) mailbox(slot_).consume([this](Mail& mail) { read(mail); }, SIZE_MAX);
    }
    void read(const Mail& mail) {
        if (mail.kind == MailKind::failed)
            return report_send_failure(mail.number, static_cast<SendFailure>(mail.detail));
        Connection* row = find_connection(mail.connection);
        if (row == nullptr || links_[row_index(*row)] == nullptr) return;
        Link& link = *links_[row_index(*row)];
        if (mail.kind == MailKind::keepalive) return set_keepalive(link.fd, mail);
        attend(link);
    }
    static void set_keepalive(int fd, const Mail& mail) {
        const auto set = [fd](int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); };
        set(SOL_SOCKET, SO_KEEPALIVE, mail.detail != 0 ? 1 : 0);
        if (mail.detail == 0) return;
        set(IPPROTO_TCP, TCP_KEEPIDLE, mail.detail);
        set(IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(mail.number >> 16));
        set(IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(mail.number & 0xffff));
    }

    void attend(Link& link) {
        if (link.row->kill.load()) close(link, TurnEnd::open);
        else if (!link.row->outgoing.empty() && link.row->tx == nullptr) after_turn(link, write_turn(link));
    }

    void sweep() {
        read_mail();
        const clock::Millis now = clock::now_ms();
        for (const auto& slot_link : links_)
            if (slot_link != nullptr) sweep(*slot_link, now);
    }
    void sweep(Link& link, clock::Millis now) {
        Connection& row = *link.row;
        if (row.kill.load(std::memory_order_relaxed)) return close(link, TurnEnd::open);
        if (link.connect_deadline != 0) {
            if (now >= link.connect_deadline) connect_failed(link, "timeout");
            return;
        }
        if (link.handshake_deadline != 0 && now >= link.handshake_deadline) {
            stats::add(counters.handshake_timeout);
            return timed_out(link, "timeout");
        }
        if (row.tx != nullptr && now - row.tx_since >= settings.tcp_send_timeout * 1000) {
            stats::add(counters.send_timeout);
            return timed_out(link, "send timeout");
        }
        const bool message_too_slow = row.rx != nullptr && now - row.rx_since >= settings.tcp_msg_read_timeout * 1000;
        if (message_too_slow || now >= row.deadline.load(std::memory_order_relaxed)) {
            stats::add(counters.con_timeout);
            return timed_out(link, message_too_slow ? "message read timeout" : "idle");
        }
        attend(link);
    }
    void timed_out(Link& link, std::string_view why) {
        LOG_AT_MOST(5, info, "tcp.timeout", kv("peer", link.row->peer.text()),
                    kv("transport", name_of(link.row->transport)), kv("reason", why));
        cut_handshake(link, why);
        close(link, TurnEnd::open, ConnectionEnd::timeout);
    }
    static void cut_handshake(Link& link, std::string_view why) {
        if (link.row->state.load() == ConnectionState::handshaking && link.row->secure != nullptr)
            secure_channel()->handshake_cut(*link.row, why);
    }

    // --- connections go -----------------------------------------------------------------------------
    static ConnectionEnd named(TurnEnd end) {
        if (end == TurnEnd::silent) return ConnectionEnd::timeout;
        return end == TurnEnd::reset || end == TurnEnd::send_failed ? ConnectionEnd::reset : ConnectionEnd::closed;
    }
    void close(Link& link, TurnEnd end) { close(link, end, named(end)); }
    void close(Link& link, TurnEnd end, ConnectionEnd how) {
        const Connection& row = *link.row;
        const EndHandler told = is_stopping_ ? nullptr : end_handler_of(row);
        if (told == nullptr) return take_apart(link, end);
        const Inbound was{row.transport, row.peer, row.local, row.listener, link.id};
        take_apart(link, end);
        told(was, how);
    }
    void take_apart(Link& link, TurnEnd end) {
        const bool broken = end == TurnEnd::reset || end == TurnEnd::silent;
        if (broken && link.connect_deadline == 0) stats::add(counters.con_reset);
        if (broken) cut_handshake(link, "connection reset");
        if (end == TurnEnd::closed_by_peer) cut_handshake(link, "closed by peer");
        if (end == TurnEnd::open || end == TurnEnd::unframed || end == TurnEnd::closed_by_peer) last_turn(link);
        if (end == TurnEnd::open && settings.tcp_close_rst) {
            const linger reset{1, 0};
            ::setsockopt(link.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        row_step();
        link.row->worked_by.store(static_cast<int16_t>(slot_ + 1));
        row_step();
        if (link.row->transport == Transport::tls && link.row->secure != nullptr) secure_channel()->release(*link.row);
        discard(link);
    }

    // The row has no TLS state any more; everything else of it goes, and the link.  worked_by stays: if we die in here,
    // our successor does this again.
    void discard(Link& link) {
        Connection& row = *link.row;
        const size_t index = row_index(row);
        const SendFailure why = failure_in(row.state.load());
        std::vector<uint64_t> unsent;
        const SentTickets sent = is_stopping_ ? SentTickets() : std::move(link.sent);
        if (event_initialized(&link.readable)) {
            event_del(&link.readable);
            event_del(&link.writable);
        }
        row_step();
        empty_connection(row);
        row_step();
        row.state.store(ConnectionState::closing);
        row_step();
        row.id.store(0);
        row_step();
        ::shutdown(link.fd, SHUT_RDWR);  // tcp main still has a duplicate
        ::close(link.fd);
        row.outgoing.consume(
            [&](Outgoing& message) {
                row.queued_bytes.fetch_sub(message.bytes);
                queued_bytes_total().fetch_sub(message.bytes);
                if (message.ticket != 0) unsent.push_back(message.ticket);
            },
            SIZE_MAX);
        row_step();
        links_[index].reset();
        proc::process(slot_).load.fetch_sub(1, std::memory_order_relaxed);
        retire_connection(row);
        for (const uint64_t ticket : unsent) report_send_failure(ticket, why);  // they may send again
        sent.each([](uint64_t ticket) { report_send_failure(ticket, SendFailure::unanswered); });
    }
    static SendFailure failure_in(ConnectionState state) {
        if (state == ConnectionState::connecting) return SendFailure::connect_failed;
        return state == ConnectionState::handshaking ? SendFailure::tls_failed : SendFailure::lost;
    }

    // At a stop: what has arrived is answered, what is half received or not taken by the socket yet may be finished as
    // long as there is time; every connection is closed as soon as nothing of it is under way.
    void finish() {
        is_stopping_ = true;
        constexpr clock::Millis kRound = 20, kMargin = 500;
        const clock::Millis patience = proc::stop_patience();
        const clock::Millis deadline = clock::read() + std::max<clock::Millis>(0, patience - kMargin);
        for (const auto& link : links_)
            if (link != nullptr && link->row->state.load() == ConnectionState::established)
                after_turn(*link, read_turn(*link));
        while (close_idle() > 0 && clock::read() < deadline) loop_.run_for(kRound);
        for (const auto& link : links_)
            if (link != nullptr) last_turn(*link);
    }
    // Returns how many are not idle.
    size_t close_idle() {
        size_t busy = 0;
        for (const auto& link : links_) {
            if (link == nullptr) continue;
            const Connection& row = *link->row;
            const bool under_way = row.rx != nullptr || row.tx != nullptr || !row.outgoing.empty();
            if (under_way && row.state.load() == ConnectionState::established) ++busy;
            else close(*link, TurnEnd::open);
        }
        return busy;
    }

    int slot_;
    EventLoop loop_;
    int channel_;
    bool is_stopping_ = false;
    std::vector<std::unique_ptr<Link>> links_;
    log::RateLimit connect_log_{5}, lost_log_{5};
};

int run_tcp_worker(int slot) { return TcpWorker(slot).run(); }

}  // namespace kahu::net
