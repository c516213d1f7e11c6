// core/net/handover.h -- descriptors between tcp main and the workers (proc::Channel, SOCK_SEQPACKET).
#pragma once
#include <array>
#include <cstdint>

#include "core/base/fd.h"
#include "core/net/inbound.h"

namespace kahu::net {

enum class HandoverKind : uint32_t {
    serve,      // main -> worker: these connections are yours
    adopt,      // worker -> main: I am a successor; send me what my predecessor had
    give_back,  // main -> worker: I am a successor; send me duplicates of what you have
    returned,   // worker -> main: here they are
};

struct Handover {
    static constexpr size_t kMax = 32;
    HandoverKind kind = HandoverKind::serve;
    uint32_t count = 0;
    uint32_t round = 0;  // give_back: the incarnation that asks; returned: the one that is answered
    std::array<uint64_t, kMax> ids{};
    std::array<int, kMax> fds{};  // sent: borrowed; received: owned by the receiver
};

// False with errno: EAGAIN when the peer has not read for long.
bool send_handover(int socket, const Handover& message);
// False: nothing (more) there.
bool receive_handover(int socket, Handover& message);

}  // namespace kahu::net
