// core/modules/tm/server.h -- towards the client: replies, their retransmission, ACK (server_invite.h,
// server_non_invite.h).
//
// LOCKS  All functions REQUIRE the lock of the transaction's shard, and leave settle() to the caller.
// FAILS  A reply that the transport does not take is treated as lost: timer G or the client's retransmission repairs.
#pragma once
#include <string_view>

#include "core/modules/tm/transaction.h"
#include "core/sip/message.h"

namespace kahu::tm {

struct Answer {
    int status = 0;
    std::string_view text;    // the whole reply
    std::string_view to_tag;  // of a final one: an old-style ACK is matched by it
    bool made_here = false;
    bool silent = false;  // only as if it were sent: onsend_route dropped it
};
// False: the state does not allow it, nothing was sent (a second final reply, a 408 to a non-INVITE ...).
bool answer(Transaction& t, const Answer& what);

struct LocalAnswer {
    int status = 0;
    std::string_view reason = {};         // empty: the registered phrase
    std::string_view extra_headers = {};  // complete lines
    std::string_view content_type = {}, body = {};
    std::string_view to_tag = {};  // empty: to_tag_of()
};
// `request` is the transaction's, parsed.
bool answer_locally(Transaction& t, const sip::Message& request, const LocalAnswer& what);
bool answer_locally(Transaction& t, const LocalAnswer& what);  // parses the request anew

// 100 to an INVITE, unless the parameters or the script say otherwise, or something was said already.
void say_trying(Transaction& t, const sip::Message& request);

inline constexpr size_t kTagBytes = 24;
// The To-tag of everything that we answer to this request.
std::string_view to_tag_of(const Transaction& t, char (&into)[kTagBytes]);

void on_retransmission(Transaction& t);
void on_ack(Transaction& t);
void on_server_timers(Transaction& t, clock::Millis now);
// The script is done with it and neither relayed nor answered it.
void expire_unanswered(Transaction& t, clock::Millis now);

}  // namespace kahu::tm
