// core/sip/validate.h -- is this message fit for routing?  Asked once, before the routing script.
//
// RFC 3261 8.1.1 (mandatory headers), 8.2.2.1 (scheme), 16.3 (a proxy's checks), 20 (once-only headers).
// Not checked: Max-Forwards of 0 (module maxfwd answers 483), Require and Proxy-Require, bodies, and headers
// that neither a proxy nor the core needs.
#pragma once
#include "core/sip/bad.h"
#include "core/sip/message.h"

namespace kahu::sip {

enum class Verdict : uint8_t { accept, reject, drop };

struct Validation {
    Verdict verdict = Verdict::accept;
    int status = 0;           // reject: what to answer (400, 416, 505 ...)
    const char* reason = "";  // reject, drop: which header or rule
};

// A response is accepted or dropped.  A request that cannot be answered (see Message::can_be_answered) is dropped;
// `status` then says what it would have been.  `parsed` is what parse() returned for this message.
Validation validate(const Message& message, bool parsed);

}  // namespace kahu::sip
