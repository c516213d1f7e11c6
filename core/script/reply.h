// core/script/reply.h -- stateless replies: built once into one buffer per process and sent the way the request came.
//
// WHY    Module sl, the message entry (400 to malformed requests) and later tm's errors answer in the same words:
//        Server header, To-tag, ;received and ;rport as RFC 3261 18.2.1 and RFC 3581 want them.
// LIVES  The buffer is process-private and reused.
// FAILS  False when the request cannot be answered (an ACK, no Via) or the transport did not take the bytes.
#pragma once
#include <string_view>

#include "core/net/inbound.h"
#include "core/script/run.h"
#include "core/sip/message.h"

namespace kahu::script {

struct ReplyText {
    std::string_view reason = {};         // empty: the registered phrase
    std::string_view extra_headers = {};  // complete lines, each with its CRLF
    std::string_view content_type = {};
    std::string_view body = {};
};

// With the body that set_reply_body() gave, if the text brings none.
ReplyText with_body_of(const Run& run, const ReplyText& text);

// REQUIRES: 100 <= status <= 699.
bool reply_stateless(Run& run, int status, const ReplyText& text);
bool reply_stateless(const sip::Message& request, const net::Inbound& from, int status, const ReplyText& text,
                     bool force_rport);

// The same text with another To-tag, appended to `out`; and where it goes over UDP.  For transactions.
// REQUIRES: request.can_be_answered(), 100 <= status <= 699.
void build_reply_text(const sip::Message& request, const net::Inbound& from, int status, const ReplyText& text,
                      std::string_view more_headers, std::string_view tag, bool force_rport, std::string& out);
SocketAddress reply_target(const sip::Message& request, const net::Inbound& from, bool force_rport);

// The To-tag of our stateless replies: the same for every copy of a request and for the ACK that follows a negative
// reply (same Via branch, Call-ID and CSeq number), and different for every other transaction.  `into` has
// kStatelessTagBytes.
inline constexpr size_t kStatelessTagBytes = 33;
std::string_view stateless_tag(const sip::Message& request, char* into);
// An ACK to one of our own negative stateless replies: it ends here (RFC 3261 17.1.1.3), and is counted.
bool absorb_ack(const sip::Message& request);

// Who counts (module sl).  Set before the first fork; entries that are nullptr are not called.
struct ReplyCounters {
    void (*sent)(int status) = nullptr;
    void (*failed)(int status) = nullptr;  // the transport did not take it
    void (*ack_absorbed)() = nullptr;
};
void set_reply_counters(const ReplyCounters& counters);
// How replies leave: net::respond unless a test looks at them.
using SendReply = net::Sent (*)(const net::Inbound& from, const SocketAddress& to, std::string_view bytes);
void set_reply_sender(SendReply send);

}  // namespace kahu::script
