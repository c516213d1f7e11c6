// core/sip/uri.h -- SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966); others are kept opaque.
//
// LIVES  Views into the text that was parsed; nothing is unescaped.
// FAILS  parse_uri returns false with the broken rule.  An unknown scheme is not a failure:
//        scheme is `other` and everything after the colon is in `opaque`.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/sip/bad.h"

namespace kahu::sip {

enum class Scheme : uint8_t { sip, sips, tel, other };

struct Uri {
    Scheme scheme = Scheme::other;
    bool has_user = false;  // "sip:@host" has none: it is bad
    bool has_password = false;
    bool lr = false, ob = false;  // ;lr (RFC 3261 19.1.1), ;ob (RFC 5626)
    bool host_is_ipv6 = false;
    uint16_t port = 0;             // 0: not given
    std::string_view text;         // the whole URI
    std::string_view scheme_name;  // as written
    std::string_view user;         // tel: the number
    std::string_view password;
    std::string_view host;     // IPv6 with its brackets, as written
    std::string_view params;   // ";transport=tls;lr", from its first ";"; or empty
    std::string_view headers;  // after "?"; or empty
    std::string_view opaque;   // other schemes: what follows "scheme:"
    std::string_view transport, maddr, user_param, method, ttl, gr;  // values of these parameters, or empty

    bool is_sip() const { return scheme == Scheme::sip || scheme == Scheme::sips; }
    // The host without the brackets of an IPv6 reference.
    std::string_view bare_host() const { return host_is_ipv6 ? host.substr(1, host.size() - 2) : host; }
    // "user:password@host:port" as written: what identifies the resource.
    std::string_view userinfo() const;  // "user:password", or empty
};

bool parse_uri(std::string_view text, Uri& out, Bad& bad);

// Same resource by RFC 3261 19.1.4 (sip, sips), RFC 3966 5 (tel) or octet by octet (others).
bool equal_uris(const Uri& a, const Uri& b);

// host [":" port] at the start of `text`: name, IPv4 or [IPv6].  Returns the length read, 0 if bad.
// Shared with Via's sent-by.  `port` is 0 when absent; white space around the colon only if `lws_allowed`.
size_t parse_host_port(std::string_view text, bool lws_allowed, std::string_view& host, bool& ipv6, uint16_t& port,
                       Bad& bad);
bool is_ipv6_text(std::string_view text);  // RFC 4291 2.2, without brackets, no zone

}  // namespace kahu::sip
