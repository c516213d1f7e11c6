// core/sip/status.h -- reason phrases of every status code registered with IANA for SIP, and of Kamailio's 477 to 479.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace kahu::sip {

struct StatusRow {
    uint16_t code;
    std::string_view reason;
};
std::span<const StatusRow> status_table();  // ascending

// The registered phrase; for other codes the name of the class ("Client Error"); "" outside 100..699.
std::string_view reason_phrase(int status);

}  // namespace kahu::sip
