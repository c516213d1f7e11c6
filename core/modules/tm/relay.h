// core/modules/tm/relay.h -- t_relay(): from the targets that the script chose to branches under way.
//
// WHY    One place decides what the targets are, runs branch routes, asks the resolver and builds the messages.
// LOCKS  None on entry; branch routes and resolving run without, adding a branch takes the shard's.
// FAILS  `failed` with run.last_error: 478 no such domain, 477 cannot be reached, 479 not a URI to route by, 500.
//        When a name takes time the branch is added later, from the loop; what fails then ends as a branch.
// DEATH  A process that dies while it waits for a name server leaves the transaction to its timers.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/modules/tm/current.h"

namespace kahu::tm {

struct RelayTo {
    std::string_view host = {};  // empty: as $du or $ru say
    uint16_t port = 0;
    std::optional<Transport> transport;
};
enum class Relayed : uint8_t {
    ok,
    absorbed,  // a retransmission, or an ACK to a reply of ours: the script has nothing more to do
    failed,
};
Relayed relay(script::Run& run, const RelayTo& to);
// For the transaction that the run has: what follows when it is known to be a new one, or goes on.
Relayed relay_targets(script::Run& run, Current& c, const RelayTo& to);
// A failure route has found something else to do: which of the first branches' failures still compete
// (failure_reply_mode).  REQUIRES: the lock of its shard.
void drop_replies(Transaction& t, const Current& c, int before);

// A lookup that went to name servers has no longer than this.
inline constexpr clock::Millis kResolveMs = 20'000;

}  // namespace kahu::tm
