#include "core/net/handover.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>

namespace kahu::net {
namespace {
struct Header {
    HandoverKind kind;
    uint32_t count, round;
};
}  // namespace

bool send_handover(int socket, const Handover& message) {
    Header header{message.kind, message.count, message.round};
    iovec parts[2] = {{&header, sizeof header},
                      {const_cast<uint64_t*>(message.ids.data()), message.count * sizeof(uint64_t)}};
    alignas(cmsghdr) char control[CMSG_SPACE(Handover::kMax * sizeof(int))];
    msghdr wire{};
    wire.msg_iov = parts;
    wire.msg_iovlen = 2;
    if (message.count > 0) {
        wire.msg_control = control;
        wire.msg_controllen = CMSG_SPACE(message.count * sizeof(int));
        cmsghdr* rights = CMSG_FIRSTHDR(&wire);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(message.count * sizeof(int));
        std::memcpy(CMSG_DATA(rights), message.fds.data(), message.count * sizeof(int));
    }
    return ::sendmsg(socket, &wire, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

bool receive_handover(int socket, Handover& message) {
    Header header{};
    iovec parts[2] = {{&header, sizeof header}, {message.ids.data(), sizeof message.ids}};
    alignas(cmsghdr) char control[CMSG_SPACE(Handover::kMax * sizeof(int))];
    msghdr wire{};
    wire.msg_iov = parts;
    wire.msg_iovlen = 2;
    wire.msg_control = control;
    wire.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(socket, &wire, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < static_cast<ssize_t>(sizeof header)) return false;
    size_t fds = 0;
    for (cmsghdr* at = CMSG_FIRSTHDR(&wire); at != nullptr; at = CMSG_NXTHDR(&wire, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
        fds = std::min((at->cmsg_len - CMSG_LEN(0)) / sizeof(int), Handover::kMax);
        std::memcpy(message.fds.data(), CMSG_DATA(at), fds * sizeof(int));
    }
    message.kind = header.kind;
    message.round = header.round;
    // Out of descriptors the kernel delivers fewer than were sent: the others stay with their sender's duplicates.
    message.count = std::min({header.count, static_cast<uint32_t>(fds), static_cast<uint32_t>(Handover::kMax)});
    return true;
}

}  // namespace kahu::net
