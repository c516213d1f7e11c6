// core/modules/tm/client.h -- towards the next hops: branches, their replies, CANCEL and ACK (client_invite.h,
// client_non_invite.h).
//
// LOCKS  All functions REQUIRE the lock of the transaction's shard, and leave conclude() and settle() to the caller.
// FAILS  A message that the transport refuses ends the branch with 503 (477 in Kamailio's words: the next hop cannot be
//        reached), so that failure routes and the other branches go on; so does one whose connection ends before any
//        response, for nobody knows whether it was read.
#pragma once
#include <string>
#include <string_view>

#include "core/modules/tm/branch_id.h"
#include "core/modules/tm/transaction.h"

namespace kahu::tm {

struct NewBranch {
    const Hop* to = nullptr;
    std::string_view request;  // as built, with write_branch_id(number = t.branches)
    std::string_view uri;
    int reply_route = -1;
    int failure_route = -1;         // of the branch
    std::string_view target = {};   // Branch::target
    std::string_view context = {};  // Branch::context
    bool lost_phone = false;
    bool flow_only = false;
    int breadth = 0;
    bool unseen = false;  // Branch::unseen
};
// Links it, sends, starts its timers.  nullptr: out of memory, or kMaxBranches are there.
Branch* add_branch(Transaction& t, const NewBranch& what);
// What add_branch() does with a branch that is not `unseen`, or no longer.
void send_request(Transaction& t, Branch& b, std::string_view request);
// A branch that waits for t_continue(); nothing is sent.  It ends with 408 after fr_timer.
Branch* add_suspended_branch(Transaction& t, std::string_view uri);
// It goes on in another way: what became of it does not count.
void end_suspended(const Transaction& t, Branch& b);
// A branch that never left: counts as `status` when the best is chosen.
Branch* add_failed_branch(Transaction& t, std::string_view uri, int status);

struct IncomingReply {
    int status = 0;
    std::string_view to;  // value of To: our ACK copies it
    std::string_view to_tag;
    std::string_view relayed;  // the reply as it goes upstream; empty: it does not (100)
    bool silent = false;       // it is final, and counts, but is not sent
    bool held = false;         // nothing came of it yet but that the far end lives (held_reply.h)
};
void on_reply(Transaction& t, Branch& b, const IncomingReply& reply);
void on_cancel_reply(Branch& b, int status);
void on_transport_error(Transaction& t, Branch& b);
void on_client_timers(Transaction& t, Branch& b, clock::Millis now);

// Sends CANCEL, or notes that it is to be sent when the branch first replies.  `reason`: whole header line or empty.
void cancel_branch(Transaction& t, Branch& b, std::string_view reason);
void cancel_pending(Transaction& t, const Branch* except, std::string_view reason);
// Before what would be the last thing to happen otherwise (the CANCEL is answered, another branch's 2xx goes up): notes
// for all who may still answer that they are to be cancelled, so that somebody does it whenever this process dies.
void want_cancel(Transaction& t, const Branch* except, std::string_view reason);
// "Reason: SIP;cause=200;..." for a branch that lost against another (RFC 3326), if configured.
std::string_view elsewhere_reason(int status);

uint64_t ticket_of(const Transaction& t, const Branch& b);
BranchId from_ticket(uint64_t ticket);

}  // namespace kahu::tm
