#include "test/load/connection.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "test/load/tls_client.h"

namespace kahu::load {
namespace {
constexpr auto kClosed = "closed by the server";
constexpr size_t kScratch = 256 * 1024;
char g_scratch[kScratch];  // one thread: every connection reads into it, and keeps only what is incomplete

// 127.0.0.2, 127.0.0.3 ...: each source address has its own 28 000 ports.
sockaddr_in source_address(unsigned index) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000002u + index);
    return address;
}
}  // namespace

bool Connection::open_socket() {
    const SocketAddress& target = wire_.options.target;
    fd_.reset(socket(target.family(), (datagram_ ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) return false;
    const int on = 1;
    if (!datagram_) setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (wire_.sources > 0 && !target.is_v6()) {
        setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        const sockaddr_in from = source_address(wire_.next_source++ % wire_.sources);
        if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) return false;
    }
    return connect(fd_.get(), target.raw(), target.raw_size()) == 0 || errno == EINPROGRESS;
}

void Connection::start(Nanos at, SSL_SESSION* resume) {
    release();
    since_ = at;
    unsent_.clear();
    unused_.clear();
    if (!open_socket()) return fail(std::string("connect: ") + std::strerror(errno));
    wire_.loop.watch(fd_.get(), *this);
    phase_ = Phase::connecting;
    if (wire_.tls != nullptr) {
        secure(resume);
        handshake();
    } else if (datagram_) {
        connected();
    }
}

void Connection::adopt(UniqueFd accepted, SSL_CTX* server_context) {
    release();
    fd_ = std::move(accepted);
    datagram_ = false;
    since_ = now();
    const int on = 1;
    setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    wire_.loop.watch(fd_.get(), *this);
    if (server_context == nullptr) return connected();
    phase_ = Phase::handshaking;
    ssl_ = SSL_new(server_context);
    SSL_set_fd(ssl_, fd_.get());
    SSL_set_accept_state(ssl_);
    handshake();
}

void Connection::secure(SSL_SESSION* resume) {
    phase_ = Phase::handshaking;
    ssl_ = SSL_new(wire_.tls);
    SSL_set_fd(ssl_, fd_.get());
    SSL_set_app_data(ssl_, this);
    SSL_set_connect_state(ssl_);
    if (!wire_.options.sni.empty()) SSL_set_tlsext_host_name(ssl_, wire_.options.sni.c_str());
    if (resume != nullptr) SSL_set_session(ssl_, resume);
}

void Connection::handshake() {
    ERR_clear_error();
    errno = 0;
    const int rc = SSL_do_handshake(ssl_);
    if (rc == 1) return connected();
    switch (SSL_get_error(ssl_, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return;
    case SSL_ERROR_SYSCALL:
        return fail(std::string("handshake: ") + (errno ? std::strerror(errno) : "closed by the server"));
    case SSL_ERROR_ZERO_RETURN: return fail("handshake: closed by the server");
    default: return fail("handshake: " + openssl_reason());
    }
}

void Connection::connected() {
    phase_ = Phase::open;
    since_ = now();
    opened();
}

void Connection::ready() {
    if (!fd_) return;
    if (phase_ == Phase::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return fail(std::string("connect: ") + std::strerror(error));
        SocketAddress peer;
        size = SocketAddress::capacity();
        if (getpeername(fd_.get(), peer.raw(), &size) != 0) return;  // not yet
        connected();
    } else if (phase_ == Phase::handshaking) {
        handshake();
    }
    if (fd_ && phase_ >= Phase::open) flush();
    if (fd_ && phase_ >= Phase::open) read_all();
    if (fd_ && phase_ == Phase::open) drained();
}

long Connection::read_some(char* to, size_t room) {
    if (ssl_ == nullptr) {
        const ssize_t n = recv(fd_.get(), to, room, 0);
        if (n > 0) return n;
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
        end_reason_ = n == 0 ? kClosed : std::string("read: ") + std::strerror(errno);
        return -1;
    }
    ERR_clear_error();
    const int n = SSL_read(ssl_, to, static_cast<int>(room));
    if (n > 0) return n;
    switch (SSL_get_error(ssl_, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return 0;
    case SSL_ERROR_ZERO_RETURN: end_reason_ = kClosed; break;
    case SSL_ERROR_SYSCALL: end_reason_ = std::string("read: ") + std::strerror(errno); break;
    default: end_reason_ = "read: " + openssl_reason(); break;
    }
    return -1;
}

void Connection::read_all() {
    for (;;) {
        size_t have = unused_.size();
        unused_.copy(g_scratch, have);
        unused_.clear();
        long n = 0;
        while (have < kScratch / 2 && (n = read_some(g_scratch + have, kScratch - have)) > 0) {
            have += static_cast<size_t>(n);
            if (datagram_) break;
        }
        deliver(g_scratch, have);  // what came before the end counts
        if (fd_ && n < 0) fail(end_reason_);
        if (!fd_ || n == 0) return;
    }
}

void Connection::deliver(char* buffer, size_t size) {
    if (size == 0) return;
    since_ = now();
    if (phase_ == Phase::leaving) return;
    const size_t used = received({buffer, size});
    if (!fd_) return;
    if (datagram_) return;  // a datagram is whole or useless
    unused_.assign(buffer + used, size - used);
    if (unused_.size() >= kScratch / 2) fail("answer: too long");
}

long Connection::write_some(std::string_view bytes) {
    if (ssl_ == nullptr) {
        const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0) return n;
        if (errno == EAGAIN || errno == EINTR) return 0;
        fail(std::string("write: ") + std::strerror(errno));
        return -1;
    }
    ERR_clear_error();
    const int n = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    if (n > 0) return n;
    const int error = SSL_get_error(ssl_, n);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
    fail("write: " + (error == SSL_ERROR_SYSCALL ? std::string(std::strerror(errno)) : openssl_reason()));
    return -1;
}

void Connection::send(std::string_view bytes) {
    if (!unsent_.empty()) {
        unsent_ += bytes;
        return;
    }
    while (!bytes.empty()) {
        const long n = write_some(bytes);
        if (n < 0) return;
        if (n == 0) {
            if (!datagram_) unsent_ = bytes;
            return;
        }
        bytes.remove_prefix(static_cast<size_t>(n));
    }
}

void Connection::flush() {
    while (!unsent_.empty()) {
        const long n = write_some(unsent_);
        if (n <= 0) return;
        unsent_.erase(0, static_cast<size_t>(n));
    }
}

void Connection::say_goodbye() {
    phase_ = Phase::leaving;
    since_ = now();
    ERR_clear_error();
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
    else shutdown(fd_.get(), SHUT_WR);
}

void Connection::close() {
    if (ssl_ != nullptr && phase_ == Phase::open) SSL_shutdown(ssl_);
    ERR_clear_error();
    release();
}

// After say_goodbye() a plain end is what we waited for; an alert or a reset is still a failure.
void Connection::fail(const std::string& reason) {
    const bool wanted = phase_ == Phase::leaving && reason == kClosed;
    const std::string copy = wanted ? "" : reason;
    if (ssl_ != nullptr) SSL_set_quiet_shutdown(ssl_, 1);
    ended(copy);
    release();
}

void Connection::release() {
    SSL_free(ssl_);
    ssl_ = nullptr;
    fd_.reset();
}

}  // namespace kahu::load
