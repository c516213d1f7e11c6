#include "test/load/callee.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "test/load/tls_server.h"

namespace kahu::load {
namespace {

Result<UniqueFd> bound_socket(const SocketAddress& address, int type) {
    UniqueFd fd(socket(address.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1, room = 4 << 20;
    if (fd && type == SOCK_STREAM) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd && type == SOCK_DGRAM) setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (!fd || bind(fd.get(), address.raw(), address.raw_size()) != 0)
        return errno_error(fmt::format("could not listen on {}", address.text()), errno);
    return fd;
}

}  // namespace

class Callee::Stream final : public Connection, public Leg {
  public:
    explicit Stream(Callee& callee) : Connection(callee.wire_), callee_(callee) {}
    bool reply(std::string_view bytes) override {
        if (is_open()) send(bytes);
        return is_open();
    }

  private:
    void opened() override {}
    size_t received(std::string_view bytes) override { return callee_.take(bytes, *this); }
    void ended(const std::string&) override {}
    Callee& callee_;
};

class Callee::Acceptor final : public Handler {
  public:
    Acceptor(Callee& callee, UniqueFd fd) : callee_(callee), fd_(std::move(fd)) {}
    void ready() override {
        for (;;) {
            UniqueFd accepted(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!accepted) return;
            ++callee_.connections_;
            callee_.streams_.push_back(std::make_unique<Stream>(callee_));
            callee_.streams_.back()->adopt(std::move(accepted), callee_.tls_.get());
        }
    }
    int fd() const { return fd_.get(); }

  private:
    Callee& callee_;
    UniqueFd fd_;
};

class Callee::Datagram final : public Handler, public Leg {
  public:
    Datagram(Callee& callee, UniqueFd fd) : callee_(callee), fd_(std::move(fd)) {}
    int fd() const { return fd_.get(); }
    void ready() override {
        char buffer[65536];
        for (;;) {
            socklen_t size = SocketAddress::capacity();
            const ssize_t n = recvfrom(fd_.get(), buffer, sizeof buffer, 0, server_.raw(), &size);
            if (n < 0) return;
            callee_.take({buffer, static_cast<size_t>(n)}, *this);
        }
    }
    // A server sends from one port: the address of the newest datagram is right for all.
    bool reply(std::string_view bytes) override {
        sendto(fd_.get(), bytes.data(), bytes.size(), 0, server_.raw(), server_.raw_size());
        return true;
    }

  private:
    Callee& callee_;
    UniqueFd fd_;
    SocketAddress server_;
};

Callee::Callee(Wire& wire, OnRequest on_request) : wire_(wire), on_request_(std::move(on_request)) {}
Callee::~Callee() = default;

Status Callee::listen() {
    auto fd = bound_socket(wire_.options.callee, stream() ? SOCK_STREAM : SOCK_DGRAM);
    if (!fd) return std::move(fd).error();
    if (!stream()) {
        datagram_ = std::make_unique<Datagram>(*this, std::move(*fd));
        wire_.loop.watch(datagram_->fd(), *datagram_);
        return {};
    }
    if (::listen(fd->get(), 128) != 0) return errno_error("could not listen", errno);
    if (wire_.options.callee_transport == Transport::tls) {
        auto context = make_server_context(wire_.options);
        if (!context) return std::move(context).error();
        tls_ = std::move(*context);
    }
    acceptor_ = std::make_unique<Acceptor>(*this, std::move(*fd));
    wire_.loop.watch(acceptor_->fd(), *acceptor_);
    return {};
}

std::string Callee::uri() const {
    const SocketAddress& at = wire_.options.callee;
    return fmt::format("sip:callee@{}:{};transport={}", at.ip_in_uri(), at.port(),
                       name_of(wire_.options.callee_transport));
}

size_t Callee::take(std::string_view bytes, Leg& leg) {
    size_t used = 0;
    while (used < bytes.size()) {
        CallMessage message;
        const long n = read_call_message(bytes.substr(used), message);
        if (n == 0) break;
        if (n < 0 || message.status != 0) {
            ++not_understood_;
            return bytes.size();
        }
        used += static_cast<size_t>(n);
        on_request_(message, leg);
    }
    return used;
}

}  // namespace kahu::load
