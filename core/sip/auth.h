// core/sip/auth.h -- challenges and credentials: scheme LWS name=value *(COMMA name=value)
//
// RFC 3261 20.7, 20.27, 20.28, 20.44; RFC 7616, RFC 8760 (Digest).  Values are views as written: quoted ones
// keep their quotes; text() strips them (a backslash escape inside stays, see unquote()).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/sip/bad.h"
#include "core/sip/params.h"

namespace kahu::sip {

// Walks the comma list of any scheme.
class AuthParams {
  public:
    explicit AuthParams(std::string_view text) : text_(text) {}
    bool next(Param& out);
    const Bad* bad() const { return failed_ ? &bad_ : nullptr; }

  private:
    std::string_view text_;
    size_t at_ = 0;
    bool failed_ = false;
    Bad bad_;
};

struct AuthValue {            // an Authorization, Proxy-Authorization, WWW- or Proxy-Authenticate value
    std::string_view scheme;  // "Digest", as written
    std::string_view params;  // behind the scheme
    bool is_digest = false;
    // Digest only; quotes removed; empty if absent.
    std::string_view username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc, domain, stale;
};

// Unknown schemes are fine (RFC 4475 3.3.7): is_digest is false.  A Digest parameter given twice is bad.
bool parse_auth(std::string_view text, AuthValue& out, Bad& bad);

// "quoted" -> quoted; anything else unchanged.
std::string_view without_quotes(std::string_view value);

}  // namespace kahu::sip
