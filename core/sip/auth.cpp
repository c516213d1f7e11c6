#include "core/sip/auth.h"

#include "core/base/text.h"
#include "core/sip/scan.h"

namespace kahu::sip {

namespace {

struct DigestField {
    std::string_view name;
    std::string_view AuthValue::*member;
};
constexpr DigestField kDigestFields[] = {
    {"username", &AuthValue::username}, {"realm", &AuthValue::realm},
    {"nonce", &AuthValue::nonce},       {"uri", &AuthValue::uri},
    {"response", &AuthValue::response}, {"algorithm", &AuthValue::algorithm},
    {"cnonce", &AuthValue::cnonce},     {"opaque", &AuthValue::opaque},
    {"qop", &AuthValue::qop},           {"nc", &AuthValue::nc},
    {"domain", &AuthValue::domain},     {"stale", &AuthValue::stale},
};

}  // namespace

std::string_view without_quotes(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return value;
    return value.substr(1, value.size() - 2);
}

bool AuthParams::next(Param& out) {
    if (failed_) return false;
    Cursor in(text_);
    in.rewind(at_);
    const auto fail = [&](const char* rule) {
        bad_ = {rule, in.at()};
        failed_ = true;
        return false;
    };
    in.skip_lws();
    if (in.done()) return false;
    if (at_ != 0 && !in.eat(',')) return fail("auth-param: comma");
    in.skip_lws();
    const size_t start = in.at();
    out = {};
    out.name = in.take_token();
    if (out.name.empty() || !in.eat_separator('=')) return fail("auth-param: name");
    out.has_value = true;
    out.value = in.next_is('"') ? in.take_quoted() : in.take(kValue);
    if (out.value.empty()) return fail("auth-param: value");
    out.whole = in.from(start);
    at_ = in.at();
    return true;
}

bool parse_auth(std::string_view text, AuthValue& out, Bad& bad) {
    Cursor in(text);
    out = {};
    in.skip_lws();
    out.scheme = in.take_token();
    if (out.scheme.empty() || (!in.done() && !in.skip_lws())) {
        bad = {"auth-scheme", in.at()};
        return false;
    }
    const size_t params_at = in.at();
    out.params = trim_lws(in.rest());
    out.is_digest = text::iequals(out.scheme, "Digest");
    if (!out.is_digest) return true;

    unsigned seen = 0;
    AuthParams params(in.rest());
    for (Param p; params.next(p);) {
        for (size_t i = 0; i < std::size(kDigestFields); ++i) {
            if (!text::iequals(p.name, kDigestFields[i].name)) continue;
            if ((seen & (1u << i)) != 0) {
                bad = {"digest parameter given twice", static_cast<size_t>(p.name.data() - text.data())};
                return false;
            }
            seen |= 1u << i;
            out.*kDigestFields[i].member = without_quotes(p.value);
        }
    }
    if (!params.bad()) return true;
    bad = {params.bad()->rule, params_at + params.bad()->at};
    return false;
}

}  // namespace kahu::sip
