// core/modules/tm/breadth.h -- how many branches a request may become on all its way: Max-Breadth (RFC 5393 5).
//
// WHY    A request that forks at every hop is billions after thirty.  Max-Forwards bounds the depth, loop detection
//        what comes back unchanged; Max-Breadth bounds how many are under way at a time, over all proxies together.
// LIVES  Transaction::breadth is what came in, Branch::breadth what went out; a branch that has ended gives its share
//        back.
// LOCKS  share_breadth() takes the shard's.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/modules/tm/transaction.h"
#include "core/sip/message.h"

namespace kahu::tm {

// What the request brings, at most the parameter max_breadth, which is also what a request without the header has.
uint16_t breadth_of(const sip::Message& request);

struct Shares {
    bool concerns = false;  // false: max_breadth = 0, or the only branch of a request without the header
    bool enough = true;     // for one branch each
    int all = 0;
    size_t count = 0;
    // Of the branch with that index among `count`; 0: the header is left alone, its absence means the most.
    int of(size_t index) const {
        return concerns ? all / static_cast<int>(count) + (index < static_cast<size_t>(all) % count ? 1 : 0) : 0;
    }
};
// For `count` new branches.  REQUIRES: count > 0.
Shares share_breadth(Id id, size_t count);

}  // namespace kahu::tm
