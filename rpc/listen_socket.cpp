#include "rpc/listen_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "core/base/address.h"

namespace kahu::rpc {
namespace {

constexpr int kBacklog = 64;
constexpr const char* kAnotherInstance = "Is another instance running?";

Error failed(const Address& address, std::string_view doing, int error, std::string hint = {}) {
    Error e = errno_error("could not " + std::string(doing) + ' ' + address.text(), error);
    e.hint = std::move(hint);
    return e;
}

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.data(), std::min(path.size(), sizeof at.sun_path - 1));
    return at;
}

// Does a process serve this file?  Connecting to a socket, or opening a FIFO for writing, succeeds only then.
bool is_served(const Address& address) {
    if (address.kind == AddressKind::fifo)
        return UniqueFd(::open(address.name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)).get() >= 0;
    const int type = address.kind == AddressKind::unix_stream ? SOCK_STREAM : SOCK_DGRAM;
    const UniqueFd probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_un at = unix_address(address.name);
    // EAGAIN: there is a server, and its backlog is full.
    return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 || errno == EAGAIN;
}

// Makes room for the file: nothing there, or something of a dead server.
Status clear_path(const Address& address) {
    struct stat found {};
    if (::lstat(address.name.c_str(), &found) != 0)
        return errno == ENOENT ? Status{} : failed(address, "look at", errno);
    const bool ours = address.kind == AddressKind::fifo ? S_ISFIFO(found.st_mode) : S_ISSOCK(found.st_mode);
    if (!ours)
        return Error{Errc::exists, "could not make " + address.text() + ": another kind of file is there",
                     "remove it, or choose another name"};
    if (is_served(address))
        return Error{Errc::exists, "could not make " + address.text() + ": it is in use", kAnotherInstance};
    if (::unlink(address.name.c_str()) != 0) return failed(address, "remove the stale", errno);
    return {};
}

// Who may write into the folder may put a link in the file's place meanwhile: neither call follows one.
Status take_ownership(ListenSocket& made, const FileOwnership& ownership) {
    const char* path = made.address.name.c_str();
    if (ownership.user != static_cast<uid_t>(-1) || ownership.group != static_cast<gid_t>(-1))
        if (::lchown(path, ownership.user, ownership.group) != 0)
            return failed(made.address, "change the owner of", errno,
                          "start as root, or leave out modparam ctl user and group");
    if (::fchmodat(AT_FDCWD, path, ownership.mode, AT_SYMLINK_NOFOLLOW) != 0)
        return failed(made.address, "change the mode of", errno);
    struct stat file {};
    if (::lstat(path, &file) != 0) return failed(made.address, "look at", errno);
    made.device = file.st_dev;
    made.inode = file.st_ino;
    return {};
}

// Nobody else may connect between bind() and chmod().
class StrictUmask {
  public:
    StrictUmask() : before_(::umask(0177)) {}
    ~StrictUmask() { ::umask(before_); }
    StrictUmask(const StrictUmask&) = delete;
    StrictUmask& operator=(const StrictUmask&) = delete;

  private:
    mode_t before_;
};

Result<ListenSocket> open_file(const Address& address, const FileOwnership& ownership) {
    if (Status cleared = clear_path(address); !cleared) return std::move(cleared).error();
    ListenSocket made;
    made.address = address;
    const StrictUmask strict;
    if (address.kind == AddressKind::fifo) {
        if (::mkfifo(address.name.c_str(), 0600) != 0)
            return failed(address, "make", errno, "does its directory exist?");
        // For writing too, so that it does not end whenever the last client leaves.
        made.fd.reset(::open(address.name.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
        if (!made.fd) return failed(address, "open", errno);
    } else {
        const int type = address.kind == AddressKind::unix_stream ? SOCK_STREAM : SOCK_DGRAM;
        made.fd.reset(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        const sockaddr_un at = unix_address(address.name);
        if (::bind(made.fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
            return failed(address, "bind", errno, "does its directory exist, and may we write there?");
        if (type == SOCK_STREAM && ::listen(made.fd.get(), kBacklog) != 0) return failed(address, "listen on", errno);
    }
    if (Status owned = take_ownership(made, ownership); !owned) return std::move(owned).error();
    return made;
}

bool is_loopback(const SocketAddress& address) {
    const SocketAddress plain = address.unmapped();
    if (plain.is_v6()) {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(plain.raw());
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(plain.raw());
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
}

Result<SocketAddress> resolve(const Address& address) {
    addrinfo hints{};
    hints.ai_socktype = address.kind == AddressKind::tcp ? SOCK_STREAM : SOCK_DGRAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* list = nullptr;
    const char* host = address.name == "*" ? nullptr : address.name.c_str();
    const int rc = ::getaddrinfo(host, std::to_string(address.port).c_str(), &hints, &list);
    if (rc != 0) return Error{Errc::not_found, "could not resolve " + address.text() + ": " + ::gai_strerror(rc), ""};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> held(list, ::freeaddrinfo);
    return SocketAddress::from(list->ai_addr);
}

Result<ListenSocket> open_inet(const Address& address, bool remote_allowed) {
    const auto at = resolve(address);
    if (!at) return at.error();
    if (!remote_allowed && !is_loopback(*at))
        return Error{Errc::invalid,
                     address.text() + " can be reached from other machines, and RPC asks for no password",
                     "use 127.0.0.1 or [::1], or say modparam(\"ctl\", \"remote\", yes) and guard it with a firewall"};
    ListenSocket made;
    made.address = address;
    const bool stream = address.kind == AddressKind::tcp;
    made.fd.reset(::socket(at->family(), (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made.fd) return failed(address, "open a socket for", errno);
    const int on = 1;
    if (stream) ::setsockopt(made.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(made.fd.get(), at->raw(), at->raw_size()) != 0)
        return failed(address, "bind", errno, errno == EADDRINUSE ? kAnotherInstance : "");
    if (stream && ::listen(made.fd.get(), kBacklog) != 0) return failed(address, "listen on", errno);
    return made;
}

}  // namespace

Result<ListenSocket> open_listen_socket(const Address& address, const FileOwnership& ownership, bool remote_allowed) {
    return address.is_path() ? open_file(address, ownership) : open_inet(address, remote_allowed);
}

void remove_socket_file(const ListenSocket& socket) {
    struct stat file {};
    if (!socket.address.is_path() || ::lstat(socket.address.name.c_str(), &file) != 0) return;
    if (file.st_dev == socket.device && file.st_ino == socket.inode) ::unlink(socket.address.name.c_str());
}

}  // namespace kahu::rpc
