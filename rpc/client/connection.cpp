#include "rpc/client/connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "rpc/binrpc.h"

namespace kahu::client {
namespace {

namespace binrpc = rpc::binrpc;
using rpc::AddressKind;

constexpr const char* kUsualSockets[] = {"/run/kahu/kahu_ctl", "/run/kamailio/kamailio_ctl"};
constexpr size_t kLongestAnswer = size_t{256} << 20;

Error nobody(const std::string& address, int error) {
    if (error == EACCES || error == EPERM)
        return {Errc::io, "no permission to open " + address,
                "become the server's user or root, or see modparam ctl mode and group"};
    return {Errc::io, "no server listens on " + address + ": " + std::strerror(error),
            "is kahu running? -s says where to ask instead"};
}

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.data(), std::min(path.size(), sizeof at.sun_path - 1));
    return at;
}

}  // namespace

Connection::~Connection() {
    if (fd_ && !own_path_.empty()) ::unlink(own_path_.c_str());
}

Result<Connection> Connection::open(const Options& options) {
    std::signal(SIGPIPE, SIG_IGN);
    Connection made;
    made.timeout_ = static_cast<clock::Millis>(options.timeout_seconds * 1000);
    made.cookie_ = static_cast<uint32_t>(clock::read()) ^ static_cast<uint32_t>(::getpid()) << 16;
    if (!options.address.empty()) {
        const auto address = rpc::parse_address(options.address, true);
        if (!address) return address.error();
        if (Status connected = made.connect(*address, options); !connected) return std::move(connected).error();
        return made;
    }
    std::string tried;
    for (const char* path : kUsualSockets) {
        rpc::Address address;
        address.name = path;
        Status connected = made.connect(address, options);
        if (connected) return made;
        if (::access(path, F_OK) == 0) return std::move(connected).error();  // it is there: why it failed matters
        tried += (tried.empty() ? "" : " nor on ") + address.text();
    }
    return Error{Errc::io, "no server listens on " + tried, "is kahu running? -s says where to ask instead"};
}

Status Connection::connect(const rpc::Address& address, const Options& options) {
    address_ = address;
    deadline_ = clock::read() + timeout_;
    switch (address.kind) {
    case AddressKind::unix_stream:
    case AddressKind::unix_datagram: return connect_unix(options);
    case AddressKind::tcp:
    case AddressKind::udp: return connect_inet();
    case AddressKind::fifo: break;
    }
    fd_.reset(::open(address.name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd_) return nobody(address.text(), errno);
    struct stat file {};
    if (::fstat(fd_.get(), &file) != 0 || !S_ISFIFO(file.st_mode))
        return Error{Errc::invalid, address.text() + " is no FIFO", ""};
    return {};
}

Status Connection::connect_unix(const Options& options) {
    const bool stream = address_.kind == AddressKind::unix_stream;
    fd_.reset(::socket(AF_UNIX, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
    if (!stream) {
        // The server answers to a name, so we need one.
        std::string own = options.reply_socket;
        if (own.empty()) own = options.reply_directory + "/kahucmd_" + std::to_string(::getpid());
        if (own.size() > 107)
            return Error{Errc::invalid, "our own socket's path is longer than 107 bytes: " + own, "see -D"};
        const sockaddr_un at = unix_address(own);
        ::unlink(own.c_str());
        if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
            return errno_error("could not make our own socket " + own, errno);
        own_path_ = own;
        ::chmod(own.c_str(), 0666);  // the server may run as another user
    }
    const sockaddr_un at = unix_address(address_.name);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
        return nobody(address_.text(), errno);
    return {};
}

Status Connection::connect_inet() {
    addrinfo hints{};
    hints.ai_socktype = address_.kind == AddressKind::tcp ? SOCK_STREAM : SOCK_DGRAM;
    addrinfo* list = nullptr;
    const int rc = ::getaddrinfo(address_.name.c_str(), std::to_string(address_.port).c_str(), &hints, &list);
    if (rc != 0) return Error{Errc::not_found, "could not find " + address_.name + ": " + ::gai_strerror(rc), ""};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> held(list, ::freeaddrinfo);
    int error = 0;
    for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
        fd_.reset(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (::connect(fd_.get(), at->ai_addr, at->ai_addrlen) == 0) return {};
        error = errno;
        if (error == EINPROGRESS && wait(fd_.get(), POLLOUT)) {
            socklen_t size = sizeof error;
            ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
            if (error == 0) return {};
        } else if (error == EINPROGRESS) {
            error = ETIMEDOUT;
        }
    }
    return nobody(address_.text(), error);
}

Status Connection::wait(int fd, short events) {
    for (;;) {
        const clock::Millis left = deadline_ - clock::read();
        if (left <= 0)
            return Error{Errc::timeout,
                         "no answer from " + address_.text() + " within " + std::to_string(timeout_ / 1000) + " s",
                         "-t gives it longer"};
        pollfd waiting{fd, events, 0};
        const int n = ::poll(&waiting, 1, static_cast<int>(std::min<clock::Millis>(left, 60'000)));
        if (n > 0) return {};
        if (n < 0 && errno != EINTR) return errno_error("poll", errno);
    }
}

Status Connection::send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        if (Status ready = wait(fd, POLLOUT); !ready) return ready;
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
        else if (errno != EAGAIN && errno != EINTR) return nobody(address_.text(), errno);
    }
    return {};
}

Result<std::string> Connection::receive(int fd, bool datagram) {
    std::string in;
    std::unique_ptr<char[]> buffer(new char[65536]);
    for (;;) {
        if (Status ready = wait(fd, POLLIN); !ready) return std::move(ready).error();
        const ssize_t n = ::read(fd, buffer.get(), 65536);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n < 0) return nobody(address_.text(), errno);
        if (n == 0) return Error{Errc::io, address_.text() + " closed the connection without an answer", ""};
        in.append(buffer.get(), static_cast<size_t>(n));
        binrpc::Header header;
        const auto status = binrpc::read_header(in, header);
        if (status == binrpc::HeaderStatus::corrupt)
            return Error{Errc::protocol, "the answer from " + address_.text() + " is not binrpc", ""};
        if (status == binrpc::HeaderStatus::complete && header.body_bytes > kLongestAnswer)
            return Error{Errc::protocol, "the answer is longer than 256 MB", ""};
        if (status == binrpc::HeaderStatus::complete && in.size() >= header.packet_bytes()) return in;
        if (datagram)
            return Error{Errc::protocol, "the answer did not fit into one datagram",
                         "ask over a stream socket (unix: or tcp:)"};
    }
}

Result<std::string> Connection::exchange(const std::string& packet) {
    if (address_.kind == AddressKind::fifo) return exchange_fifo(packet);
    if (Status sent = send(fd_.get(), packet); !sent) return std::move(sent).error();
    return receive(fd_.get(), address_.kind == AddressKind::unix_datagram || address_.kind == AddressKind::udp);
}

// A FIFO of our own beside the server's, its name on a line before the request.
Result<std::string> Connection::exchange_fifo(const std::string& packet) {
    const size_t slash = address_.name.rfind('/');
    const std::string directory = slash == std::string::npos ? "" : address_.name.substr(0, slash + 1);
    const std::string name = "kahucmd_reply_" + std::to_string(::getpid()) + "_" + std::to_string(cookie_);
    const std::string path = directory + name;
    if (::mkfifo(path.c_str(), 0600) != 0) return errno_error("could not make the reply FIFO " + path, errno);
    struct Remover {
        const std::string& file;
        ~Remover() { ::unlink(file.c_str()); }
    } const remover{path};
    struct stat requests {};
    // The server opens it; it may run as another user, who owns its FIFO.
    if (::geteuid() == 0 && ::fstat(fd_.get(), &requests) == 0 &&
        ::chown(path.c_str(), requests.st_uid, requests.st_gid) != 0)
        return errno_error("could not give the reply FIFO to the server", errno);
    // For writing too: without a writer poll() would report a hang-up until the server comes.
    const UniqueFd reply(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    if (!reply) return errno_error("could not open the reply FIFO", errno);
    if (Status sent = send(fd_.get(), name + "\n" + packet); !sent) return std::move(sent).error();
    return receive(reply.get(), false);
}

Result<Answer> Connection::ask(const std::string& method, const std::vector<RpcCall::Param>& params) {
    deadline_ = clock::read() + timeout_;
    const uint32_t cookie = ++cookie_;
    auto packet = exchange(binrpc::write_request(cookie, method, params));
    if (!packet) return std::move(packet).error();
    binrpc::Header header;
    binrpc::read_header(*packet, header);
    const std::string_view body = std::string_view(*packet).substr(header.header_bytes, header.body_bytes);
    // A server that could not even read our header answers with cookie 0.
    const bool unreadable = header.type == binrpc::PacketType::fault && header.cookie == 0;
    if (header.cookie != cookie && !unreadable)
        return Error{Errc::protocol, "the answer belongs to another request", ""};
    Answer answer;
    std::string why;
    if (header.type == binrpc::PacketType::fault) {
        binrpc::Fault fault;
        if (!binrpc::read_fault(body, fault, why))
            return Error{Errc::protocol, "the answer cannot be read: " + why, ""};
        answer.fault = true;
        answer.code = fault.code;
        answer.reason = std::move(fault.reason);
        return answer;
    }
    if (!binrpc::read_values(body, binrpc::Limits{.values = kLongestAnswer}, answer.values, why))
        return Error{Errc::protocol, "the answer cannot be read: " + why, ""};
    return answer;
}

}  // namespace kahu::client
