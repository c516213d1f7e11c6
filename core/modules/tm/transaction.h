// core/modules/tm/transaction.h -- what is remembered of a request until it is over.
//
// WHY    One server transaction, up to kMaxBranches client transactions: a stateful proxy's unit (RFC 3261 16).
// LIVES  In the segment (mem::Tag::transaction), linked into a shard of the table (table.h).  Any process may go on
//        with it: everything needed is here, nothing points to private memory but `program`, which was made before the
//        first fork and lies at the same address everywhere.
// LOCKS  Every field is read and written under the shard's lock.  While a route of the script runs for it the lock is
//        not held: `decider` then says who decides, and everybody else only notes what came in.
// DEATH  All stores are of single words: a process killed between two of them leaves a state in which the timer goes
//        on.  is_valid() tells whether that is so.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/modules/tm/block.h"
#include "core/modules/tm/client_invite.h"
#include "core/modules/tm/client_non_invite.h"
#include "core/modules/tm/server_invite.h"
#include "core/modules/tm/server_non_invite.h"
#include "core/modules/tm/transport.h"
#include "core/net/inbound.h"
#include "core/sip/method.h"

namespace kahu::script {
class Program;
}

namespace kahu::tm {

inline constexpr int kMaxBranches = 12;

// Names a transaction without holding it: what becomes of it meanwhile is found out at the next look.
struct Id {
    uint32_t shard = 0;
    uint32_t label = 0;  // 0: none
    explicit operator bool() const { return label != 0; }
    bool operator==(const Id&) const = default;
};

struct Branch {
    uint8_t number;
    uint8_t round;         // of serial forking: branches of one t_relay() share it
    uint8_t state;         // client_invite::State, or client_non_invite::State
    uint8_t cancel_state;  // client_non_invite::State of its CANCEL; Terminated: none under way
    bool cancel_wanted;    // a CANCEL is to go out, with the first provisional if there was none (RFC 3261 9.1)
    bool cancel_made;      // it went out, once
    bool gave_up;          // timer C has fired; what follows is only cleaning up
    bool lost_phone;     // reached over the connection it registered on: once that has ended 480 goes upstream, not 503
    bool flow_only;      // and over nothing else: 430 then (RFC 5626 5.3)
    bool local_outcome;  // `outcome` is ours (408, 503), there is no reply
    bool dropped;        // t_drop_replies(), or resumed: not among those of which the best is chosen
    bool suspended;      // nothing was sent: it waits for t_continue()
    bool failure_due;    // it failed, and failure_route is to run
    bool unseen;         // not sent yet: another server of the name, which onsend_route is still to see
    bool silent;         // `reply` is not to be sent: onsend_route dropped it
    int16_t reply_route;    // -1: none
    int16_t failure_route;  // event_route[tm:branch-failure:...]; -1: none
    uint16_t status;        // of the last reply; 0: none yet
    uint16_t breadth;       // its share of the transaction's
    uint16_t held_status;   // of `held`
    uint16_t outcome;       // >= 200: how it ended, for the choice of the best; 0: not yet
    uint32_t interval;      // of the next retransmission, ms
    uint32_t cancel_interval;
    clock::Millis resend_at, give_up_at;  // 0: not running
    clock::Millis cancel_resend_at, cancel_give_up_at;
    clock::Millis born;
    uint64_t proof;  // last part of our Via branch: what the next hop cannot guess
    Block* request;  // as it was sent; nullptr once it is not needed any more
    Block* reply;    // the final one, as it would go upstream
    Block* held;     // a reply that waits for t_continue() (held_reply.h); nullptr: none
    Block* uri;      // its Request-URI
    Block* cancel;   // as it was sent
    Block* target;   // script::pack() of what it was made of, without its URIs; nullptr: nothing but those
    Block* context;  // script::Run::save(), if the name has servers for other transports; nullptr: it has none
    Hop to;

    client_invite::State invite_state() const { return static_cast<client_invite::State>(state); }
    client_non_invite::State other_state() const { return static_cast<client_non_invite::State>(state); }
};

// Where the parts that identify a request lie within it.
struct Piece {
    uint32_t at = 0, bytes = 0;
};

// What one transaction does otherwise than the parameters say, if its script asked for it: a set of bits.
enum Way : uint8_t {
    kSayTrying = 1,          // 100 as soon as an INVITE is relayed (auto_inv_100)
    kGlobalFailureEnds = 2,  // a 6xx cancels the other branches (disable_6xx_block)
    kTryOtherServers = 4,    // of a name, when one fails (RFC 3263 4.3)
    kPassCancelReason = 8,   // Reason headers of a CANCEL go on (e2e_cancel_reason)
};
uint8_t default_ways();  // as the parameters say now

struct Transaction {
    static constexpr uint32_t kMagic = 0x54524e53;
    uint32_t magic;
    Id id;
    Transaction* next;  // in the shard
    sip::Method method;
    bool reliable;       // upstream: no retransmissions
    bool force_rport;    // upstream: to the port it came from, whatever its Via says
    bool no_connect;     // upstream: over an open connection or not at all (set_reply_no_connect)
    bool local;          // we are the client: nobody to answer
    bool answered;       // a final reply was sent
    bool cancelled;      // a CANCEL came
    bool observed;       // some module wants to know how it ends (observers.h)
    bool released;       // nobody waits for the script (local: for the outcome) any more: without branches it ends
    bool unsent;         // local: the timer process is still to send it (originate.h)
    bool replica;        // local: a copy of a request that came in (t_replicate)
    bool breadth_given;  // the request had a Max-Breadth
    bool lumps_saved;    // t_save_lumps(): `context` is as failure routes shall find it
    uint8_t state;       // server_invite::State, or server_non_invite::State
    uint8_t branches;
    uint8_t round;
    uint8_t ways;                                      // Way
    uint8_t resolving;                                 // branches whose next hop is being looked up
    uint16_t status;                                   // of the last reply sent upstream; 0: none
    uint16_t breadth;                                  // Max-Breadth received (breadth.h); 0: of no concern
    uint16_t waiting_breadth;                          // of branches whose next hop is being looked up
    int16_t failure_route, reply_route, branch_route;  // -1: none
    int16_t branch_failure_route;                      // for branches to come
    int16_t decider;        // slot + 1 of who adds branches or runs a failure route; 0: nobody
    uint32_t decider_life;  // and its incarnation: a successor is somebody else
    uint32_t fr_ms, fr_inv_ms;
    uint32_t t1_ms, t2_ms;                // t_set_retr(); 0: as the parameters say
    uint32_t interval;                    // of timer G
    clock::Millis resend_at, give_up_at;  // G; H, I, J or L
    clock::Millis born, max_age_at;
    clock::Millis resolve_by;  // lookups that have not ended by then died with their worker; 0: none runs
    uint64_t hash;             // Call-ID and CSeq number
    uint32_t cseq;
    uint16_t via_port;
    Piece via_branch, via_host, call_id, from_tag, to_tag, uri, via;
    uint64_t proof;  // for the To-tag
    net::Inbound from;
    SocketAddress reply_to;
    const script::Program* program;
    Block* request;    // as it came
    Block* context;    // script::Run::save() when it was relayed; nullptr: nobody will ask
    Block* shared;     // the same after the last reply route: its flags and $avp are newer
    Block* reason;     // Reason headers of the CANCELs to be sent, whole lines
    Block* reply;      // last one sent, to be sent again; of a non-INVITE over a stream: none
    Block* reply_tag;  // To-tag of the final reply sent
    Branch* branch[kMaxBranches];

    bool is_invite() const { return method == sip::Method::invite; }
    server_invite::State invite_state() const { return static_cast<server_invite::State>(state); }
    server_non_invite::State other_state() const { return static_cast<server_non_invite::State>(state); }
    bool goes(Way way) const { return (ways & way) != 0; }
    bool terminated() const;  // server side
    std::string_view piece(Piece p) const { return text_of(request).substr(p.at, p.bytes); }
    clock::Millis due() const;  // its earliest deadline, INT64_MAX if none runs
    bool over() const;          // nothing is left to do: may be freed
    bool is_valid() const;
};

inline constexpr clock::Millis kNever = INT64_MAX;

bool is_pending(const Transaction& t, const Branch& b);  // may still bring a final reply
// Frees it and all it owns.  REQUIRES: not linked.
void destroy(Transaction* t);

}  // namespace kahu::tm
