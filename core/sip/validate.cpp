#include "core/sip/validate.h"

namespace kahu::sip {

namespace {

constexpr uint32_t kMaxForwards = 255;         // RFC 3261 20.22
constexpr uint32_t kCSeqLimit = 0x8000'0000u;  // RFC 3261 8.1.1.5: below 2**31

Reject duplicates(const Message& m) {
    switch (m.duplicate()) {
    case HeaderId::from: return {400, "More Than One From"};
    case HeaderId::to: return {400, "More Than One To"};
    case HeaderId::call_id: return {400, "More Than One Call-ID"};
    case HeaderId::cseq: return {400, "More Than One CSeq"};
    case HeaderId::max_forwards: return {400, "More Than One Max-Forwards"};
    default: return {};  // of no concern to routing
    }
}

// RFC 3261 8.1.1.  Max-Forwards may be absent: RFC 2543 did not ask for it (16.3, point 3).
Reject mandatory(const Message& m) {
    if (!m.has(HeaderId::via)) return {400, "Missing Via"};
    if (m.top_via() == nullptr) return {400, "Malformed Via"};
    if (!m.has(HeaderId::from)) return {400, "Missing From"};
    if (m.from() == nullptr) return {400, "Malformed From"};
    if (!m.has(HeaderId::to)) return {400, "Missing To"};
    if (m.to() == nullptr) return {400, "Malformed To"};
    if (!m.has(HeaderId::call_id)) return {400, "Missing Call-ID"};
    if (m.call_id().empty()) return {400, "Malformed Call-ID"};
    if (!m.has(HeaderId::cseq)) return {400, "Missing CSeq"};
    if (m.cseq() == nullptr) return {400, "Malformed CSeq"};
    if (m.cseq()->number >= kCSeqLimit) return {400, "CSeq Number Too Large"};
    return {};
}

Reject request_only(const Message& m) {
    if (m.cseq()->method_name != m.method_name()) return {400, "CSeq Method Differs From Request Method"};
    if (m.has(HeaderId::max_forwards)) {
        const auto hops = m.max_forwards();
        if (!hops) return {400, "Malformed Max-Forwards"};
        if (*hops > kMaxForwards) return {400, "Max-Forwards Too Large"};
    }
    const Uri* uri = m.parsed_request_uri();
    if (uri == nullptr) return {400, "Malformed Request-URI"};
    if (uri->scheme == Scheme::other) return {416, "Unsupported URI Scheme"};
    if (!uri->headers.empty()) return {400, "Headers In Request-URI"};  // RFC 3261 19.1.1, table 1
    return {};
}

// A response goes where its second Via says.  That must be one host: RFC 4475 3.3.10.
bool would_be_broadcast(const Message& m) {
    const Via* next = m.second_via();
    return next != nullptr && (next->received.empty() ? next->host : next->received) == "255.255.255.255";
}

}  // namespace

Validation validate(const Message& m, bool parsed) {
    Reject why = parsed ? duplicates(m) : m.reject();
    if (!why) why = mandatory(m);
    if (!why && m.is_request()) why = request_only(m);
    if (!why && !m.is_request() && would_be_broadcast(m)) why = {400, "Broadcast Address In Via"};
    if (!why) return {};
    return {m.can_be_answered() ? Verdict::reject : Verdict::drop, why.status, why.reason};
}

}  // namespace kahu::sip
