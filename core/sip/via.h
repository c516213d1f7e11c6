// core/sip/via.h -- Via = via-parm *(COMMA via-parm)     RFC 3261 20.42, 25.1; RFC 3581 rport; RFC 5923 alias
//
// LIVES  Views into the header's value, which may be folded.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/sip/bad.h"
#include "core/sip/element_list.h"

namespace kahu::sip {

struct Via {
    std::string_view text;                          // this element: from the protocol name to the end of its parameters
    std::string_view protocol;                      // "SIP"
    std::string_view version;                       // "2.0"
    std::string_view transport;                     // "TLS", as written
    std::string_view host;                          // sent-by host; IPv6 with its brackets
    std::string_view params;                        // from the first ";", or empty
    std::string_view branch, received, maddr, ttl;  // values, or empty
    std::string_view rport_text;                    // the rport parameter as written ("rport", "rport=5060"), or empty
    uint16_t port = 0;                              // 0: not given
    uint16_t rport = 0;                             // the number given in rport; 0: none
    bool has_rport = false;                         // ";rport", with or without a number
    bool alias = false;                             // ";alias"
    bool host_is_ipv6 = false;

    std::string_view bare_host() const { return host_is_ipv6 ? host.substr(1, host.size() - 2) : host; }
    // RFC 3261 8.1.1.7: only such a branch identifies a transaction by itself.
    bool has_rfc3261_branch() const { return branch.size() > 7 && branch.substr(0, 7) == "z9hG4bK"; }
};

// Reads the element at the start of `text` and stops behind it: `used` is then text.size(), or the offset
// of the next element behind the comma.
bool parse_via(std::string_view text, Via& out, size_t& used, Bad& bad);

// Every element of a header value.
using ViaList = ElementList<Via, parse_via>;

}  // namespace kahu::sip
