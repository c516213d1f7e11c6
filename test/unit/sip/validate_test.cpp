#include "core/sip/validate.h"

#include <gtest/gtest.h>

#include <string>

namespace kahu::sip {
namespace {

struct Lines {
    std::string_view start = "OPTIONS sip:b@c SIP/2.0", via = "Via: SIP/2.0/UDP h", from = "From: sip:a@b;tag=1",
                     to = "To: sip:b@c", call_id = "Call-ID: x", cseq = "CSeq: 1 OPTIONS", more = "Max-Forwards: 70";
};
struct Case {
    const char* name;
    Lines lines;
    Verdict verdict;
    int status;
    std::string_view reason;
};
constexpr Verdict kAccept = Verdict::accept, kReject = Verdict::reject, kDrop = Verdict::drop;
const Case kCases[] = {
    {"good", {}, kAccept, 0, ""},
    {"no_max_forwards", {.more = "X: 1"}, kAccept, 0, ""},
    {"zero_max_forwards", {.more = "Max-Forwards: 0"}, kAccept, 0, ""},
    {"from_without_tag", {.from = "From: sip:a@b"}, kAccept, 0, ""},
    {"tel", {.start = "OPTIONS tel:+123 SIP/2.0"}, kAccept, 0, ""},
    {"repeated_unimportant", {.more = "Subject: a\r\nSubject: b"}, kAccept, 0, ""},
    {"no_via", {.via = "X: 1"}, kDrop, 400, "Missing Via"},
    {"bad_via", {.via = "Via: SIP/2.0"}, kReject, 400, "Malformed Via"},
    {"no_from", {.from = "X: 1"}, kReject, 400, "Missing From"},
    {"bad_from", {.from = "From: <sip"}, kReject, 400, "Malformed From"},
    {"no_to", {.to = "X: 1"}, kReject, 400, "Missing To"},
    {"bad_to", {.to = "To: \"x <sip:a@b>"}, kReject, 400, "Malformed To"},
    {"no_call_id", {.call_id = "X: 1"}, kReject, 400, "Missing Call-ID"},
    {"empty_call_id", {.call_id = "Call-ID:"}, kReject, 400, "Malformed Call-ID"},
    {"no_cseq", {.cseq = "X: 1"}, kReject, 400, "Missing CSeq"},
    {"bad_cseq", {.cseq = "CSeq: OPTIONS"}, kReject, 400, "Malformed CSeq"},
    {"large_cseq", {.cseq = "CSeq: 2147483648 OPTIONS"}, kReject, 400, "CSeq Number Too Large"},
    {"other_method", {.cseq = "CSeq: 1 INVITE"}, kReject, 400, "CSeq Method Differs From Request Method"},
    {"bad_max_forwards", {.more = "Max-Forwards: x"}, kReject, 400, "Malformed Max-Forwards"},
    {"large_max_forwards", {.more = "Max-Forwards: 256"}, kReject, 400, "Max-Forwards Too Large"},
    {"two_to", {.more = "To: sip:x@y"}, kReject, 400, "More Than One To"},
    {"two_cseq", {.more = "CSeq: 2 OPTIONS"}, kReject, 400, "More Than One CSeq"},
    {"bad_uri", {.start = "OPTIONS sip:a@ SIP/2.0"}, kReject, 400, "Malformed Request-URI"},
    {"unknown_scheme", {.start = "OPTIONS soap.beep://x SIP/2.0"}, kReject, 416, "Unsupported URI Scheme"},
    {"uri_headers", {.start = "OPTIONS sip:a@b?Route=x SIP/2.0"}, kReject, 400, "Headers In Request-URI"},
    {"version", {.start = "OPTIONS sip:a@b SIP/7.0"}, kReject, 505, "Version Not Supported"},
    {"ack_is_never_answered",
     {.start = "ACK sip:b@c SIP/2.0", .cseq = "CSeq: 1 BYE"},
     kDrop,
     400,
     "CSeq Method Differs From Request Method"},
    {"response", {.start = "SIP/2.0 200 OK"}, kAccept, 0, ""},
    {"response_no_to", {.start = "SIP/2.0 200 OK", .to = "X: 1"}, kDrop, 400, "Missing To"},
    {"response_broadcast",
     {.start = "SIP/2.0 200 OK", .more = "Via: SIP/2.0/UDP 255.255.255.255"},
     kDrop,
     400,
     "Broadcast Address In Via"},
    {"response_received",
     {.start = "SIP/2.0 200 OK", .more = "Via: SIP/2.0/UDP 255.255.255.255;received=10.0.0.1"},
     kAccept,
     0,
     ""},
};
class ValidateTable : public testing::TestWithParam<Case> {};

TEST_P(ValidateTable, SaysWhatToDo) {
    const Lines& l = GetParam().lines;
    std::string text;
    for (const std::string_view line : {l.start, l.via, l.from, l.to, l.call_id, l.cseq, l.more})
        text.append(line).append("\r\n");
    text += "\r\n";
    Message message;
    Bad bad;
    const Validation got = validate(message, message.parse(text, bad));
    EXPECT_EQ(got.verdict, GetParam().verdict) << got.reason;
    EXPECT_EQ(got.status, GetParam().status);
    EXPECT_EQ(got.reason, GetParam().reason);
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, ValidateTable, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

}  // namespace
}  // namespace kahu::sip
