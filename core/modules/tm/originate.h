// core/modules/tm/originate.h -- requests that begin here (Kamailio's t_uac): NOTIFY, OPTIONS ... for RPC commands.
//
// WHY    Who asks for one must not wait for name servers, and may die: the request is put into the table as a whole,
//        and the timer process sends it within its next tick.
// LIVES  A transaction like any other, with `local` set and nobody upstream.
// LOCKS  Each call takes the lock of one shard; acknowledge() REQUIREs it.
// DEATH  Who asked: nobody fetches the outcome, it is dropped after 10 s.  The timer process while it sends: its
//        successor sends, unless a branch was added already.  While it waits for a name server: 408 after 20 s.
// FAILS  originate() says which part of the request is wrong, in Kamailio's words.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/modules/tm/transaction.h"
#include "core/sip/message.h"

namespace kahu::tm {

struct Origin {
    std::string_view method, uri;
    std::string_view next_hop = {};  // a SIP URI; empty: as the Request-URI says
    uint16_t listener = net::kAnyListener;
    std::string_view headers = {};  // lines; From and To must be among them
    std::string_view body = {};
    bool awaited = false;  // somebody will call outcome_of()
};
// From gets a tag, and Call-ID, CSeq and Max-Forwards are added, where `headers` lack them.
Result<Id> originate(const Origin& what);

// In private hands still: not in the table.  `message` is whole.  nullptr: out of memory.
Transaction* make_local(const sip::Message& message, const net::Inbound& from);

// A socket by its name or address, "udp:127.0.0.1:5060"; kAnyListener: there is none.
uint16_t socket_called(std::string_view name);

struct Outcome {
    int status = 0;
    std::string reason;
    bool sent = true;  // false: it never left, `status` is ours
};
enum class Progress : uint8_t { under_way, over, gone };
// Once it is over, the outcome is given out a single time.
Progress outcome_of(Id id, Outcome& out);

// The timer process: after take_unsent() said so.  Runs event_route[tm:local-request]; drop in it ends the request.
void send_originated(Id id);
// Every 2xx to an INVITE of ours is acknowledged here (RFC 3261 13.2.2.4): along the route set to its Contact.
void acknowledge(const Transaction& t, const Branch& b, const sip::Message& reply);

}  // namespace kahu::tm
