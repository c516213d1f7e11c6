#include "rpc/datagram_server.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <cerrno>
#include <vector>

#include "core/base/address.h"
#include "core/base/log.h"
#include "rpc/answer.h"

namespace kahu::rpc {
namespace {

constexpr size_t kLargestDatagram = 65535;
constexpr int kDatagramsPerTurn = 16;
log::RateLimit g_dropped_log(5);

std::string name_of_peer(const sockaddr_storage& from, socklen_t size) {
    if (from.ss_family != AF_UNIX) return "udp:" + SocketAddress::from(reinterpret_cast<const sockaddr*>(&from)).text();
    const auto& at = reinterpret_cast<const sockaddr_un&>(from);
    if (size <= offsetof(sockaddr_un, sun_path)) return "unixd:<anonymous>";
    return std::string("unixd:") + (at.sun_path[0] == '\0' ? "<abstract>" : at.sun_path);
}

}  // namespace

DatagramServer::DatagramServer(event_base* base, const ListenSocket& socket) : socket_(socket) {
    readable_ = make_event<&DatagramServer::on_readable>(base, socket.fd.get(), EV_READ | EV_PERSIST, this);
    arm(readable_);
}

void DatagramServer::on_readable(short) {
    std::vector<char> buffer(kLargestDatagram);
    for (int i = 0; i < kDatagramsPerTurn; ++i) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const ssize_t got = ::recvfrom(socket_.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return;  // EAGAIN, or an ICMP error for an earlier answer
        answer({buffer.data(), static_cast<size_t>(got)}, from, size);
    }
}

void DatagramServer::answer(std::string_view datagram, const sockaddr_storage& from, socklen_t from_size) {
    const bool nameless = from.ss_family == AF_UNIX && from_size <= offsetof(sockaddr_un, sun_path);
    if (nameless) return;  // nobody could hear the answer
    Framed framed = frame_request(datagram);
    std::string reply;
    switch (framed.what) {
    case Framed::What::broken: reply = std::move(framed.fault); break;
    case Framed::What::need_more:
        reply = binrpc::write_fault(framed.header.cookie, 400, "bad request: a datagram must hold all of it");
        break;
    case Framed::What::request:
        reply = answer_request(framed.header, datagram.substr(0, framed.header.packet_bytes()),
                               name_of_peer(from, from_size));
        break;
    }
    const auto send = [&] {
        return ::sendto(socket_.fd.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                        reinterpret_cast<const sockaddr*>(&from), from_size);
    };
    if (send() >= 0) return;
    if (errno == EMSGSIZE || errno == ENOBUFS) {
        const size_t bytes = reply.size();
        reply = binrpc::write_fault(
            framed.header.cookie, 500,
            fmt::format("the answer has {} bytes, too many for a datagram: ask over a stream socket, "
                        "or for fewer entries",
                        bytes));
        if (send() >= 0) return;
    }
    if (g_dropped_log.allow())
        LOG(notice, "rpc.answer.dropped", kv("client", name_of_peer(from, from_size)),
            kv("reason", errno_error("sendto", errno).text()));
}

}  // namespace kahu::rpc
