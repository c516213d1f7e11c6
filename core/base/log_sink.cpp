#include "core/base/log_sink.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <utility>

namespace kahu::log {

bool Reader::takes_more(int fd) {
    pollfd wanted{fd, POLLOUT, 0};
    stuck_ = ::poll(&wanted, 1, stuck_ ? 0 : kPatienceMs) == 0;
    return !stuck_;
}

// In pieces: poll(2) promises a pipe room for PIPE_BUF bytes, and a longer write(2) would wait for the reader.
bool StandardError::write(std::string_view line) {
    while (!line.empty()) {
        if (!reader_.takes_more(STDERR_FILENO)) return false;
        const ssize_t written = ::write(STDERR_FILENO, line.data(), std::min(line.size(), size_t{PIPE_BUF}));
        if (written < 0) return false;
        line.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

void Syslog::open(std::string path) {
    path_ = std::move(path);
    (void)connect();
}

bool Syslog::connect() {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    if (path_.size() >= sizeof at.sun_path) return false;
    std::memcpy(at.sun_path, path_.data(), path_.size());
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
        UniqueFd fresh(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (fresh && ::connect(fresh.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
            stream_ = type == SOCK_STREAM;
            fd_ = std::move(fresh);
            return true;
        }
        if (errno != EPROTOTYPE) return false;
    }
    return false;
}

bool Syslog::send_once(std::string_view packet) {
    if (!fd_) return false;
    if (::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno != EAGAIN) {  // the daemon was restarted
        fd_.reset();
        return false;
    }
    return reader_.takes_more(fd_.get()) && ::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0;
}

// RFC 3164, as syslog(3) writes it.
bool Syslog::send(int priority, std::string_view program, std::string_view text) {
    const time_t now = ::time(nullptr);
    tm parts{};
    char stamp[32];
    ::localtime_r(&now, &parts);
    const size_t bytes = std::strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &parts);
    std::string packet =
        fmt::format("<{}>{} {}[{}]: {}", priority, std::string_view(stamp, bytes), program, ::getpid(), text);
    if (stream_) packet += '\0';
    if (send_once(packet)) return true;
    return !fd_ && connect() && send_once(packet);
}

}  // namespace kahu::log
