// core/modules/tm/launch.h -- one target on its way: branch route, name lookup, message, branch.
//
// LIVES  Targets borrow from the run; what waits for a name server is copied into the callback.
// LOCKS  Takes the shard's lock to add the branch.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/modules/tm/relay.h"
#include "core/script/branches.h"
#include "core/script/run.h"

namespace kahu::tm {

struct Target {
    bool main = false;  // the Request-URI itself: uri and dst_uri are the run's
    std::string_view uri, dst_uri, path;
    uint16_t socket = net::kAnyListener;
    net::ConnectionId connection = net::ConnectionId::none;
    bool flow_only = false;  // 430 if the connection has ended
    script::Phone phone = script::Phone::no;
    int16_t q = script::Branch::kNoQ;
    const script::Branch* known = nullptr;  // what it was made of

    static Target of(const script::Branch& branch);
    static Target of_main(const script::Run& run);
};

struct Launch {
    Id id;
    RelayTo to;
    int on_reply = -1, on_branch = -1, on_branch_failure = -1;
    int breadth = 0;  // its share (breadth.h)
};
enum class Launched : uint8_t {
    sent,     // or dropped by its branch route on purpose
    waiting,  // for a name server
    failed,   // run.last_error says why; nothing was added
};
Launched launch(script::Run& run, const Target& target, const Launch& how);

}  // namespace kahu::tm
