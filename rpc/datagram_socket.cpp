#include "rpc/datagram_socket.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <cerrno>
#include <vector>

#include "core/base/address.h"
#include "core/base/log.h"

namespace kahu::rpc {
namespace {

constexpr size_t kLargestDatagram = 65535;
constexpr int kDatagramsPerTurn = 16;
constexpr int kSendBuffer = 1 << 20;  // an answer must fit in whole
log::RateLimit g_dropped_log(5);

bool is_nameless(const sockaddr_storage& from, socklen_t size) {
    return from.ss_family == AF_UNIX && size <= offsetof(sockaddr_un, sun_path);
}

std::string name_of_peer(const sockaddr_storage& from) {
    if (from.ss_family != AF_UNIX) return "udp:" + SocketAddress::from(reinterpret_cast<const sockaddr*>(&from)).text();
    const auto& at = reinterpret_cast<const sockaddr_un&>(from);
    return std::string("unixd:") + (at.sun_path[0] == '\0' ? "<abstract>" : at.sun_path);
}

}  // namespace

DatagramSocket::DatagramSocket(event_base* base, const ListenSocket& socket) : socket_(socket) {
    ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
    readable_ = make_event<&DatagramSocket::on_readable>(base, socket.fd.get(), EV_READ | EV_PERSIST, this);
    arm(readable_);
}

void DatagramSocket::on_readable(short) {
    std::vector<char> buffer(kLargestDatagram);
    for (int i = 0; i < kDatagramsPerTurn; ++i) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const ssize_t got = ::recvfrom(socket_.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return;  // EAGAIN, or an ICMP error for an earlier answer
        if (!is_nameless(from, size))
            answer_one({buffer.data(), static_cast<size_t>(got)}, {from, size, name_of_peer(from)});
    }
}

void DatagramSocket::answer_one(std::string_view request, const Peer& peer) {
    answer(request, peer.name,
           [this, asked = std::string(request), peer](const std::string& reply) { send(asked, peer, reply); });
}

void DatagramSocket::send(std::string_view request, const Peer& peer, const std::string& reply) {
    const auto sent = [&](const std::string& text) {
        return ::sendto(socket_.fd.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                        reinterpret_cast<const sockaddr*>(&peer.address), peer.size) >= 0;
    };
    if (sent(reply)) return;
    const bool too_long = errno == EMSGSIZE || errno == ENOBUFS;
    if (too_long && sent(fault(request, fmt::format("the answer has {} bytes, too many for a datagram: ask over a "
                                                    "stream socket or a FIFO, or for fewer entries",
                                                    reply.size()))))
        return;
    if (g_dropped_log.allow())
        LOG(notice, "rpc.answer.dropped", kv("client", peer.name), kv("reason", errno_error("sendto", errno).text()));
}

}  // namespace kahu::rpc
