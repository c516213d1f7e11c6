#include "core/net/tcp_main.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/net/blocklist.h"
#include "core/net/connect.h"
#include "core/net/connection_table.h"
#include "core/net/event_loop.h"
#include "core/net/half_open.h"
#include "core/net/handover.h"
#include "core/net/listener.h"
#include "core/net/mailbox.h"
#include "core/net/net_counters.h"
#include "core/net/settings.h"
#include "core/net/source_count.h"
#include "core/proc/child.h"
#include "core/proc/process_table.h"
#include "mem/contract.h"
#include "mem/heap.h"

namespace kahu::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
const char* (*g_admission)(Transport) = nullptr;
constexpr clock::Millis kHandshakeTakes = 1000;  // longer only for slow peers, and those that do not mean it
constexpr int kEvictedTogether = 16;             // memory comes back when all that shares a span is gone
constexpr clock::Millis kRest = 100;             // after accept() ran out of descriptors

class TcpMain {
  public:
    explicit TcpMain(int slot) : slot_(slot), loop_(slot), fds_(connection_capacity()) {}

    int run() {
        find_workers();
        if (proc::process(slot_).incarnation.load() > 1) take_over();
        rebuild_free_rows();
        watch_channels();
        watch_listeners();
        loop_.on_doorbell([this] { read_orders(); });
        loop_.every(kRest, [this] {
            read_orders();
            send_waiting();
            if (resting_) rest(false);
        });
        loop_.run();
        events_.clear();
        return 0;
    }

  private:
    struct Watch {
        TcpMain* self;
        size_t index;
    };
    struct Closing {
        uint32_t index, uses;
    };
    struct Worker {
        int slot;
        std::deque<uint64_t> waiting;  // accepted, to be sent at the end of the turn or when its channel has room
    };

    // --- start --------------------------------------------------------------------------------------
    void find_workers() {
        for (int slot = 1; slot < proc::process_count(); ++slot)
            if (proc::process(slot).kind == ProcessKind::tcp_worker) workers_.push_back({slot, {}});
        REQUIRE(!workers_.empty());
    }
    void watch(int fd, event_callback_fn callback, size_t index, std::vector<EventPtr>& into) {
        watches_.push_back(std::make_unique<Watch>(Watch{this, index}));
        event* made = event_new(loop_.base(), fd, EV_READ | EV_PERSIST, callback, watches_.back().get());
        REQUIRE(made != nullptr && event_add(made, nullptr) == 0);
        into.emplace_back(made);
    }
    void watch_listeners() {
        for (const Listener& listener : listeners())
            if (is_stream(listener.transport))
                watch(
                    listener.fd.get(),
                    [](evutil_socket_t, short, void* at) {
                        clock::tick();
                        const auto* which = static_cast<Watch*>(at);
                        which->self->accept_from(listeners()[which->index]);
                    },
                    listener.index, accepting_);
    }
    void watch_channels() {
        for (size_t i = 0; i < workers_.size(); ++i)
            watch(
                proc::channel(workers_[i].slot).main_end,
                [](evutil_socket_t, short, void* at) {
                    clock::tick();
                    const auto* which = static_cast<Watch*>(at);
                    which->self->hear(which->self->workers_[which->index]);
                },
                i, events_);
    }

    uint32_t incarnation() const { return proc::process(slot_).incarnation.load(); }
    // A successor: the workers send duplicates of what they serve.  What was accepted and not yet served is lost with
    // the predecessor's descriptors unless it is still in a worker's channel: those come back too, as the worker serves
    // them.
    void take_over() {
        Handover request;
        request.kind = HandoverKind::give_back;
        request.round = incarnation();
        for (Worker& worker : workers_)
            if (!send_handover(proc::channel(worker.slot).main_end, request))
                LOG(error, "tcp.give_back_not_asked", kv("slot", worker.slot));
    }
    void rebuild_free_rows() {
        rebuild_connection_index();
        take_retired(
            [](void*, size_t index) {
                Connection& row = connection_row(index);
                empty_connection(row);
                mem::deallocate(std::exchange(row.host, nullptr), mem::Tag::connection);
                row.state.store(ConnectionState::free);
            },
            nullptr);
        for (size_t index = connection_capacity(); index-- > 0;) {
            Connection& row = connection_row(index);
            if (row.id.load() != 0) {
                ++open_;
                if (row.transport == Transport::tls) ++open_tls_;
                if (row.outbound) continue;
                sources_.add(row.peer);
                if (row.state.load() != ConnectionState::established) half_open_.add(ConnectionId{row.id.load()});
                continue;
            }
            if (row.state.load() == ConnectionState::closing) {  // its worker is about to retire it, or we died with it
                ++open_;
                if (row.transport == Transport::tls) ++open_tls_;
                if (!row.outbound) sources_.add(row.peer);
                closing_at_start_.push_back({static_cast<uint32_t>(index), row.uses});
                continue;
            }
            row.state.store(ConnectionState::free);
            free_rows_.push_back(static_cast<uint32_t>(index));
        }
        set_open(open_, open_tls_);
    }

    // --- accept -------------------------------------------------------------------------------------
    void accept_from(const Listener& listener) {
        reclaim();
        for (int i = 0; i < kAcceptsPerTurn; ++i) {
            SocketAddress peer;
            socklen_t size = SocketAddress::capacity();
            UniqueFd fd(::accept4(listener.fd.get(), peer.raw(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!fd) {
                if (errno == EINTR || errno == ECONNABORTED) continue;
                // EINVAL: the supervisor shut the listening socket down, we are about to be told to stop.
                if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINVAL) accept_failed(errno);
                break;
            }
            admit(listener, peer, std::move(fd));
        }
        for (Worker& worker : workers_) send_batch(worker);
    }

    void accept_failed(int number) {
        stats::add(counters.accept_failed);
        if (limit_log_.allow())
            LOG(error, "tcp.accept_failed", kv("reason", std::strerror(number)),
                kv("suppressed", limit_log_.suppressed()));
        rest(true);
    }
    // The listening sockets stay readable while descriptors are short: do not spin.
    void rest(bool on) {
        resting_ = on;
        for (const EventPtr& listener : accepting_) on ? event_del(listener.get()) : event_add(listener.get(), nullptr);
    }

    const char* why_refused(const Listener& listener, const SocketAddress& peer) {
        const int64_t per_source = settings.tcp_accept_iplimit;
        if (per_source > 0 && sources_.of(peer) >= per_source) return "tcp_accept_iplimit";
        if (open_ - evicted_ >= static_cast<size_t>(settings.tcp_max_connections) && !evict())
            return "tcp_max_connections";
        if (listener.transport == Transport::tls &&
            open_tls_ - evicted_ >= static_cast<size_t>(settings.tls_max_connections) && !evict())
            return "tls_max_connections";
        if (free_rows_.empty()) return "connection table full";
        const char* const why = g_admission != nullptr ? g_admission(listener.transport) : nullptr;
        if (why != nullptr && listener.transport == Transport::tls)
            for (int i = 0; i < kEvictedTogether && evict(kHandshakeTakes); ++i) {
            }
        return why;
    }

    // An unfinished handshake gives way.
    bool evict(clock::Millis older_than = 0) {
        while (const Connection* const row = half_open_.take_oldest(older_than)) {
            const UniqueFd& fd = fds_[row_index(*row)];
            if (!fd) continue;
            ::shutdown(fd.get(), SHUT_RDWR);  // its worker sees the end of the stream and closes it
            ++evicted_;
            stats::add(counters.half_open_evicted);
            return true;
        }
        return false;
    }

    void admit(const Listener& listener, const SocketAddress& peer, UniqueFd fd) {
        if (const char* why = why_refused(listener, peer)) {
            stats::add(counters.local_reject);
            if (limit_log_.allow())
                LOG(warn, "tcp.refused", kv("peer", peer.text()), kv("limit", why),
                    kv("suppressed", limit_log_.suppressed()));
            return;
        }
        const uint32_t index = free_rows_.back();
        free_rows_.pop_back();
        Connection& row = connection_row(index);
        if (row.uses == 0) new (&row) Connection{};
        Worker& worker = least_loaded();
        row_step();
        fill_connection(row, listener, peer, worker.slot);
        row_step();
        const ConnectionId id = next_id(row);
        fds_[index] = std::move(fd);
        publish_connection(row, id);
        index_connection(index, IndexNode::peer, peer.port());
        row_step();
        sources_.add(peer);
        ++open_;
        stats::add(counters.passive_open);
        stats::add(counters.established);
        if (listener.transport == Transport::tls) {
            ++open_tls_;
            half_open_.add(id);
        }
        set_open(open_, open_tls_);
        worker.waiting.push_back(static_cast<uint64_t>(id));
        if (worker.waiting.size() >= Handover::kMax) send_batch(worker);
    }

    // --- connect ------------------------------------------------------------------------------------
    void read_orders() {
        reclaim();
        // Whoever adds to what is not empty does not ring.
        while (!mailbox(slot_).empty()) mailbox(slot_).consume([](const Mail& mail) { take_alias(mail); }, SIZE_MAX);
        if (connect_orders().empty()) return;
        while (!connect_orders().empty())
            connect_orders().consume([this](ConnectOrder& order) { carry_out(order); }, SIZE_MAX);
        send_waiting();
    }
    static void take_alias(const Mail& mail) {
        const Connection* row = find_connection(mail.connection);
        if (mail.kind == MailKind::alias && row != nullptr)
            index_connection(row_index(*row), IndexNode::alias, mail.detail);
    }

    void carry_out(ConnectOrder& order) {
        queued_bytes_total().fetch_sub(order.bytes);
        ConnectionId id = find_connection_to(order.to);
        std::string why;
        if (id == ConnectionId::none) id = make_connection(order.to, order.message(), order.ticket, why);
        else if (send_on(id, order.message(), order.ticket) != Sent::ok) why = "the connection's queue is full";
        if (why.empty()) return;
        stats::add(counters.connect_failed);
        if (id == ConnectionId::none) note_failed_destination(order.to.transport, order.to.address, kBlockConnect);
        if (connect_log_.allow())
            LOG(warn, "tcp.connect_failed", kv("peer", order.to.address.text()),
                kv("transport", name_of(order.to.transport)), kv("reason", why),
                kv("suppressed", connect_log_.suppressed()));
        // The handler is tm's: it runs where messages are routed.
        if (order.ticket != 0)
            post(least_loaded().slot, MailKind::failed, ConnectionId::none,
                 static_cast<uint16_t>(SendFailure::connect_failed), order.ticket);
    }

    // The message waits in the row from before the row can be seen: its worker finds it there.
    ConnectionId make_connection(const Destination& to, std::string_view message, uint64_t ticket, std::string& why) {
        const bool full = open_ - evicted_ >= static_cast<size_t>(settings.tcp_max_connections) && !evict();
        if (full || free_rows_.empty() || to.listener >= listeners().size()) {
            why = full ? "tcp_max_connections" : "connection table full";
            return ConnectionId::none;
        }
        const Listener& from = listeners()[to.listener];
        UniqueFd fd = begin_connect(from, to.address, why);
        if (!fd) return ConnectionId::none;
        const uint32_t index = free_rows_.back();
        free_rows_.pop_back();
        Connection& row = connection_row(index);
        if (row.uses == 0) new (&row) Connection{};
        Worker& worker = least_loaded();
        fill_connection(row, from, to.address, worker.slot);
        make_outbound(row, to.host_name());
        const ConnectionId id = next_id(row);
        bool was_empty = false;
        row_step();
        if (queue_message(row, id, message, ticket, was_empty) != Sent::ok)
            why = "out of memory, or the queues are full";
        fds_[index] = std::move(fd);
        publish_connection(row, id);
        index_connection(index, IndexNode::peer, to.address.port());
        ++open_;
        if (row.transport == Transport::tls) ++open_tls_;
        set_open(open_, open_tls_);
        worker.waiting.push_back(static_cast<uint64_t>(id));
        return id;
    }
    Worker& least_loaded() {
        const auto load = [](const Worker& w) {
            return proc::process(w.slot).load.load(std::memory_order_relaxed) + static_cast<int32_t>(w.waiting.size());
        };
        size_t best = next_worker_++ % workers_.size();
        for (size_t i = 0; i < workers_.size(); ++i)
            if (load(workers_[i]) < load(workers_[best])) best = i;
        return workers_[best];
    }

    void send_batch(Worker& worker) {
        while (!worker.waiting.empty()) {
            Handover message;
            size_t looked_at = 0;
            for (; message.count < Handover::kMax && looked_at < worker.waiting.size(); ++looked_at) {
                const uint64_t id = worker.waiting[looked_at];
                const Connection* row = find_connection(ConnectionId{id});
                if (row == nullptr || !fds_[row_index(*row)]) continue;
                message.ids[message.count] = id;
                message.fds[message.count++] = fds_[row_index(*row)].get();
            }
            row_step();
            if (message.count > 0 && !send_handover(proc::channel(worker.slot).main_end, message))
                return;  // again in kRest
            row_step();
            worker.waiting.erase(worker.waiting.begin(),
                                 worker.waiting.begin() + static_cast<std::ptrdiff_t>(looked_at));
        }
    }
    void send_waiting() {
        for (Worker& worker : workers_) send_batch(worker);
    }

    // --- workers speak ------------------------------------------------------------------------------
    void hear(Worker& worker) {
        Handover message;
        while (receive_handover(proc::channel(worker.slot).main_end, message)) {
            if (message.kind == HandoverKind::adopt) hand_to_successor(worker);
            if (message.kind != HandoverKind::returned) continue;
            take_back(message);
            // An answer to a predecessor of ours knows nothing of what came between.
            if (message.count < Handover::kMax && message.round == incarnation()) all_given_back(worker);
        }
    }

    // What a worker did not give back, it does not have: we died between accepting a connection and sending it, or
    // both of us died at once.  Rows that were being closed when we came, and are not retired by now, we died with.
    void all_given_back(const Worker& worker) {
        reclaim();
        for (size_t index = 0; index < connection_capacity(); ++index) {
            Connection& row = connection_row(index);
            if (row.id.load() == 0 || row.owner.load() != worker.slot || fds_[index]) continue;
            abandon_connection(row);
            row.state.store(ConnectionState::closing);
            row.id.store(0);
            free_row(index);
        }
        std::erase_if(closing_at_start_, [&](const Closing& each) {
            const Connection& row = connection_row(each.index);
            if (row.owner.load() != worker.slot) return false;
            if (row.uses == each.uses && row.state.load() == ConnectionState::closing) free_row(each.index);
            return true;
        });
    }

    void hand_to_successor(Worker& worker) {
        reclaim();
        worker.waiting.clear();
        for (size_t index = 0; index < connection_capacity(); ++index) {
            Connection& row = connection_row(index);
            if (row.owner.load() != worker.slot || !fds_[index]) continue;
            if (row.id.load() != 0) worker.waiting.push_back(row.id.load());
            else if (row.state.load() == ConnectionState::closing) free_row(index);  // died before it retired the row
        }
        send_batch(worker);
    }

    void take_back(Handover& message) {
        for (uint32_t i = 0; i < message.count; ++i) {
            UniqueFd fd(message.fds[i]);
            const Connection* row = find_connection(ConnectionId{message.ids[i]});
            if (row != nullptr) fds_[row_index(*row)] = std::move(fd);
        }
    }

    // --- rows come back -----------------------------------------------------------------------------
    void reclaim() {
        take_retired([](void* self, size_t index) { static_cast<TcpMain*>(self)->free_row(index); }, this);
    }
    void free_row(size_t index) {
        Connection& row = connection_row(index);
        // Freed already, and perhaps in new use: its worker died, and its successor was closing it meanwhile.
        if (row.state.load() == ConnectionState::free || row.id.load() != 0) return;
        fds_[index].reset();
        empty_connection(row);  // its worker may have died in the midst of that
        row_step();
        unindex_connection(index);
        row_step();
        mem::deallocate(std::exchange(row.host, nullptr), mem::Tag::connection);
        row_step();
        if (!row.outbound) sources_.remove(row.peer);
        --open_;
        if (row.transport == Transport::tls) --open_tls_;
        if (evicted_ > 0 && row.transport == Transport::tls && !row.outbound) --evicted_;
        row.owner.store(-1);
        row_step();
        row.state.store(ConnectionState::free);
        row_step();
        free_rows_.push_back(static_cast<uint32_t>(index));
        set_open(open_, open_tls_);
    }

    int slot_;
    EventLoop loop_;
    std::vector<UniqueFd> fds_;  // by row
    std::vector<uint32_t> free_rows_;
    std::vector<Worker> workers_;
    std::vector<std::unique_ptr<Watch>> watches_;
    std::vector<EventPtr> events_, accepting_;
    std::vector<Closing> closing_at_start_;
    HalfOpen half_open_;
    SourceCount sources_;
    log::RateLimit limit_log_{1}, connect_log_{5};
    size_t open_ = 0, open_tls_ = 0;
    size_t evicted_ = 0;  // shut down, their worker has not closed them yet
    size_t next_worker_ = 0;
    bool resting_ = false;
};

}  // namespace

void set_admission(const char* (*check)(Transport)) { g_admission = check; }
int run_tcp_main(int slot) { return TcpMain(slot).run(); }

}  // namespace kahu::net
