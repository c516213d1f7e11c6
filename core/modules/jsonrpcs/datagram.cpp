#include "core/modules/jsonrpcs/datagram.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <cerrno>
#include <vector>

#include "core/base/log.h"
#include "core/modules/jsonrpcs/protocol.h"
#include "core/modules/jsonrpcs/settings.h"

namespace kahu::jsonrpcs {
namespace {

constexpr size_t kLargestDatagram = 65535;
constexpr int kDatagramsPerTurn = 16;
constexpr int kSendBuffer = 1 << 20;  // an answer must fit in whole
log::RateLimit g_dropped_log(5);

}  // namespace

Datagrams::Datagrams(event_base* base, const rpc::ListenSocket& socket) : socket_(socket) {
    ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
    readable_ = rpc::make_event<&Datagrams::on_readable>(base, socket.fd.get(), EV_READ | EV_PERSIST, this);
    arm(readable_);
}

void Datagrams::on_readable(short) {
    std::vector<char> buffer(kLargestDatagram);
    for (int i = 0; i < kDatagramsPerTurn; ++i) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const ssize_t got = ::recvfrom(socket_.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return;  // EAGAIN, or an ICMP error for an earlier answer
        answer_one({buffer.data(), static_cast<size_t>(got)}, from, size);
    }
}

void Datagrams::answer_one(std::string_view document, const sockaddr_storage& from, socklen_t from_size) {
    const bool nameless = from.ss_family == AF_UNIX && from_size <= offsetof(sockaddr_un, sun_path);
    if (nameless) return;  // nobody could hear the answer
    const bool pretty = settings.pretty_format != 0;
    std::string reply = answer(document, "jsonrpc datagram", pretty).text;
    const auto send = [&] {
        return ::sendto(socket_.fd.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                        reinterpret_cast<const sockaddr*>(&from), from_size);
    };
    if (send() >= 0) return;
    if (errno == EMSGSIZE || errno == ENOBUFS) {
        const size_t bytes = reply.size();
        reply = error_like(document, 500,
                           fmt::format("the answer has {} bytes, too many for a datagram: ask over the FIFO, or for "
                                       "fewer entries",
                                       bytes),
                           pretty);
        if (send() >= 0) return;
    }
    if (g_dropped_log.allow()) LOG(notice, "jsonrpc.answer.dropped", kv("reason", errno_error("sendto", errno).text()));
}

}  // namespace kahu::jsonrpcs
