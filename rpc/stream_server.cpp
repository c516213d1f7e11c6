#include "rpc/stream_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/base/log.h"
#include "rpc/settings.h"

namespace kahu::rpc {
namespace {
constexpr clock::Millis kPause = 1000;
constexpr int kAcceptsPerTurn = 16;
log::RateLimit g_accept_log(1);
}  // namespace

void StreamServer::listen(const ListenSocket& socket) {
    auto acceptor = std::make_unique<Acceptor>(Acceptor{this, &socket, nullptr});
    acceptor->event = make_event<&Acceptor::on_event>(base_, socket.fd.get(), EV_READ, acceptor.get());
    arm(acceptor->event);
    acceptors_.push_back(std::move(acceptor));
}

// After a pause it is the timeout that fires: the same attempt again.
void StreamServer::Acceptor::on_event(short) { server->accept_from(*this); }

void StreamServer::accept_from(Acceptor& acceptor) {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        UniqueFd fd(::accept4(acceptor.socket->fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            make_room();
            sessions_.push_back(std::make_unique<StreamSession>(*this, base_, std::move(fd), acceptor.socket->address));
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno == EAGAIN) break;
        if (g_accept_log.allow())
            LOG(error, "rpc.accept_failed", kv("address", acceptor.socket->address.text()),
                kv("reason", errno_error("accept", errno).text()));
        // Waits for the time alone: the socket stays readable all the while.
        event_del(acceptor.event.get());
        event_assign(acceptor.event.get(), base_, -1, 0, event_get_callback(acceptor.event.get()), &acceptor);
        arm(acceptor.event, kPause);
        return;
    }
    event_del(acceptor.event.get());
    event_assign(acceptor.event.get(), base_, acceptor.socket->fd.get(), EV_READ,
                 event_get_callback(acceptor.event.get()), &acceptor);
    arm(acceptor.event);
}

void StreamServer::make_room() {
    while (sessions_.size() >= static_cast<size_t>(settings.max_clients.get())) {
        const auto idlest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
            return a->last_request() < b->last_request();
        });
        sessions_.erase(idlest);
    }
}

void StreamServer::close(StreamSession& session) {
    sessions_.remove_if([&](const auto& held) { return held.get() == &session; });
}

}  // namespace kahu::rpc
