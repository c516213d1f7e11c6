// core/modules/tm/elsewhere.h -- the next server of the same domain, when one could not be reached (RFC 3263 4.3).
//
// WHY    DNS names several servers for a domain; that one refuses connections must not fail the call.
// LIVES  Nothing is kept for it: the list is asked for again, from the cache, and what branches have tried is left out.
//        So it is bounded by the number of branches.
// LOCKS  All functions REQUIRE the lock of the transaction's shard.
// RULES  A new branch with a branch parameter of its own.  From the same socket everything else in the request stays as
//        it is; for another transport (NAPTR) it is built anew from what the script left: Via and Record-Route differ.
#pragma once
#include <string_view>

#include "core/modules/tm/transaction.h"

namespace kahu::tm {

// Whether the domain may have other servers: the request must then be kept until the branch has an answer.
bool may_go_elsewhere(const Branch& b);
// `request`: what the failed branch had sent.  False: there is no other server.
bool go_elsewhere(Transaction& t, Branch& failed, std::string_view request);

}  // namespace kahu::tm
