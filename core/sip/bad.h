// core/sip/bad.h -- why a message, or one header of it, could not be read.
//
// WHY    A malformed message is normal traffic, not an error of ours: parsers return false and say
//        which grammar rule broke and where.  They do not log and do not allocate.
// LIVES  `rule` is a string literal ("Via: port"); `at` is an offset into the text that was given
//        to the parser (Message reports offsets into the whole message).
#pragma once
#include <cstddef>

namespace kahu::sip {

struct Bad {
    const char* rule = "";
    size_t at = 0;
};

// What a UAS answers to a message it cannot accept (RFC 3261 8.2).  status 0: nothing is wrong.
// `reason` is a string literal and names the header or the rule.
struct Reject {
    int status = 0;
    const char* reason = "";
    explicit operator bool() const { return status != 0; }
};

}  // namespace kahu::sip
