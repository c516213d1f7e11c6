#include "rpc/stream_session.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "core/base/address.h"
#include "core/base/log.h"
#include "rpc/answer.h"
#include "rpc/settings.h"
#include "rpc/stream_server.h"

namespace kahu::rpc {
namespace {
constexpr size_t kReadAtOnce = 16 * 1024;
constexpr int kRequestsPerTurn = 64;  // then others have theirs
constexpr clock::Millis kHalfRequestTimeout = 10'000;
log::RateLimit g_dropped_log(5);
}  // namespace

StreamSession::StreamSession(StreamServer& server, event_base* base, UniqueFd fd, const Address& listening)
    : server_(server), listening_(listening), fd_(std::move(fd)), last_request_(clock::read()) {
    readable_ = make_event<&StreamSession::on_readable>(base, fd_.get(), EV_READ, this);
    writable_ = make_event<&StreamSession::on_writable>(base, fd_.get(), EV_WRITE, this);
    name_peer();
    rearm();
}

void StreamSession::name_peer() {
    if (listening_.kind == AddressKind::tcp) {
        SocketAddress peer;
        socklen_t size = SocketAddress::capacity();
        ::getpeername(fd_.get(), peer.raw(), &size);
        peer_name_ = peer.ip();
        peer_port_ = std::to_string(peer.port());
        client_ = "tcp:" + peer.text();
        return;
    }
    sockaddr_un peer{};
    socklen_t size = sizeof peer;
    const bool named = ::getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
                       size > offsetof(sockaddr_un, sun_path) && peer.sun_path[0] != '\0';
    peer_name_ =
        named ? std::string(peer.sun_path, ::strnlen(peer.sun_path, sizeof peer.sun_path)) : "<anonymous unix socket>";
    ucred who{};
    socklen_t who_size = sizeof who;
    if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &who, &who_size) == 0)
        client_ = "unix:pid=" + std::to_string(who.pid) + ",uid=" + std::to_string(who.uid);
}

bool StreamSession::over_high_water() const {
    return out_.size() - sent_ >= static_cast<size_t>(settings.queue_kilobytes.get()) * 1024;
}

void StreamSession::on_readable(short what) {
    if (what & EV_TIMEOUT) return server_.close(*this);
    if (!more_waiting_ && !receive()) return;
    answer_waiting();
    if (flush()) rearm();
}

bool StreamSession::receive() {
    char buffer[kReadAtOnce];
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
        in_.append(buffer, static_cast<size_t>(got));
        return true;
    }
    if (got == 0) {
        ending_ = true;  // it may still want to read what it asked for
        return true;
    }
    if (errno == EAGAIN || errno == EINTR) return true;
    server_.close(*this);
    return false;
}

void StreamSession::answer_waiting() {
    std::string_view rest = in_;
    more_waiting_ = false;
    in_turn_ = true;
    for (int answered = 0; !answering_; ++answered) {
        const Framed framed = frame_request(rest);
        if (framed.what == Framed::What::need_more) break;
        if (framed.what == Framed::What::broken) {
            out_ += framed.fault;
            ending_ = true;
            rest = {};
            break;
        }
        if (answered == kRequestsPerTurn || over_high_water()) {
            more_waiting_ = true;
            break;
        }
        answering_ = true;
        answer_request(framed.header, rest.substr(0, framed.header.packet_bytes()), client_,
                       [self = std::weak_ptr(self_)](std::string packet) {
                           if (const auto session = self.lock()) (*session)->take_answer(std::move(packet));
                       });
        rest.remove_prefix(framed.header.packet_bytes());
        last_request_ = clock::read();
    }
    in_.erase(0, in_.size() - rest.size());
    in_turn_ = false;
}

void StreamSession::take_answer(std::string packet) {
    out_ += packet;
    answering_ = false;
    if (in_turn_) return;
    answer_waiting();
    if (flush()) rearm();
}

bool StreamSession::flush() {
    while (sent_ < out_.size()) {
        const ssize_t n = ::send(fd_.get(), out_.data() + sent_, out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) sent_ += static_cast<size_t>(n);
        else if (n < 0 && errno == EINTR) continue;
        else if (n < 0 && errno == EAGAIN) return true;
        else break;
    }
    if (sent_ < out_.size() || (ending_ && !more_waiting_ && !answering_)) {
        server_.close(*this);
        return false;
    }
    out_.clear();
    sent_ = 0;
    return true;
}

void StreamSession::on_writable(short what) {
    if (what & EV_TIMEOUT) {
        if (g_dropped_log.allow())
            LOG(warn, "rpc.client.dropped", kv("client", client_), kv("unread_bytes", out_.size() - sent_),
                kv("reason", "it did not read its answer"));
        return server_.close(*this);
    }
    if (!flush()) return;
    if (more_waiting_ && !over_high_water()) {
        answer_waiting();
        if (!flush()) return;
    }
    rearm();
}

// What to wait for: room to write, the next bytes, or (requests are waiting already) the next turn of the loop.
void StreamSession::rearm() {
    const bool unsent = sent_ < out_.size();
    if (unsent) arm(writable_, settings.write_timeout * 1000);
    else disarm(writable_);
    if (answering_) return disarm(readable_);
    if (ending_ || over_high_water()) {
        disarm(readable_);
        if (more_waiting_ && !unsent) event_active(readable_.get(), EV_READ, 0);
        return;
    }
    // While an answer waits to be read, the write timeout alone decides.
    if (unsent) arm(readable_);
    else arm(readable_, in_.empty() ? settings.idle_timeout * 1000 : kHalfRequestTimeout);
    if (more_waiting_) event_active(readable_.get(), EV_READ, 0);
}

}  // namespace kahu::rpc
