// core/sip/cseq.h -- CSeq = 1*DIGIT LWS Method      RFC 3261 20.16
#pragma once
#include <cstdint>
#include <string_view>

#include "core/sip/bad.h"
#include "core/sip/method.h"

namespace kahu::sip {

struct CSeq {
    uint32_t number = 0;  // RFC 3261 8.1.1.5 wants it below 2**31: validate() checks that
    Method method = Method::other;
    std::string_view number_text, method_name;
};

bool parse_cseq(std::string_view text, CSeq& out, Bad& bad);

}  // namespace kahu::sip
