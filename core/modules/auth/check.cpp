// core/modules/auth/check.cpp -- api.h: from a request's credentials to yes or no.
#include "core/modules/auth/check.h"
#include "core/base/text.h"
#include "core/modules/auth/api.h"
#include "core/modules/auth/nonce.h"
#include "core/modules/auth/settings.h"
#include "core/sip/quoting.h"
#include "core/sip/uri.h"

namespace kahu::auth {
namespace {

LastCheck g_last;

using sip::HeaderId;

bool is_offered(Algorithm algorithm) {
    for (const Algorithm one : offered())
        if (one == algorithm) return true;
    return false;
}

// nc=00000001: eight hexadecimal digits.
bool read_count(std::string_view text, uint32_t& out) {
    if (text.size() != 8) return false;
    const auto number = text::to_int(text, 16);
    if (!number || *number <= 0 || *number >= UINT32_MAX) return false;
    out = static_cast<uint32_t>(*number);
    return true;
}

// What RFC 7616 3.4 makes us refuse before any arithmetic.
bool is_complete(const sip::AuthValue& c) {
    if (c.username.empty() || c.nonce.empty() || c.uri.empty() || c.response.empty()) return false;
    if (c.qop.empty()) return true;
    uint32_t count;
    return (text::iequals(c.qop, "auth") || text::iequals(c.qop, "auth-int")) && !c.cnonce.empty() &&
           read_count(c.nc, count);
}

// RFC 7616 3.5.  The proof is over the URI alone: a reply has no method, and those with a body are not ours.
void append_authentication_info(Proof proof, bool next_nonce, std::string& lines) {
    const auto add = [&](auto&&... parts) { (lines.append(parts), ...); };
    std::string_view before = "Authentication-Info: ";
    if (next_nonce) {
        char nonce[kNonceBytes];
        add(before, "nextnonce=\"", make_nonce(nonce), "\"");
        before = ", ";
    }
    if (text::iequals(proof.qop, "auth")) {
        proof.method = {};
        add(before, "qop=auth, rspauth=\"", response_to(proof).view(), "\", cnonce=");
        sip::append_quoted(proof.cnonce, lines);
        add(", nc=", proof.nc);
        before = ", ";
    }
    if (before == ", ") add("\r\n");
}

}  // namespace

const LastCheck* last_check(const script::Run& run) { return g_last.run_number == run.id() ? &g_last : nullptr; }

const sip::HeaderField* find_credentials(const script::Run& run, Side side, std::string_view realm,
                                         sip::AuthValue& out) {
    const sip::Message& message = run.message();
    const HeaderId id = side == Side::www ? HeaderId::authorization : HeaderId::proxy_authorization;
    for (const auto* field = message.first(id); field != nullptr; field = message.next(field)) {
        sip::Bad bad;
        if (sip::parse_auth(field->value, out, bad) && out.is_digest && out.realm == realm) return field;
    }
    return nullptr;
}

std::string_view without_prefix(std::string_view realm) {
    const std::string& prefix = settings.realm_prefix.get();
    if (!prefix.empty() && realm.size() > prefix.size() && realm.starts_with(prefix))
        realm.remove_prefix(prefix.size());
    return realm;
}

Outcome authenticate(script::Run& run, Side side, std::string_view realm, std::string_view method,
                     const Ha1Source& source) {
    g_last = {};
    g_last.run_number = run.id();
    // ACK and CANCEL cannot be challenged (RFC 3261 22.1): whoever lets their INVITE pass lets them pass.
    const sip::Method id = run.message().method();
    if (id == sip::Method::ack || id == sip::Method::cancel) return kAuthorized;
    realm = without_prefix(realm);
    sip::AuthValue credentials;
    const sip::HeaderField* const field = find_credentials(run, side, realm, credentials);
    if (field == nullptr) return kNoCredentials;
    const auto scheme = scheme_named(credentials.algorithm);
    if (!is_complete(credentials) || !scheme || !is_offered(scheme->algorithm)) return kError;
    g_last.username = run.arena().copy(credentials.username);

    std::string ha1;
    const Outcome known = source(credentials, scheme->algorithm, ha1);
    if (known == kError) return kError;
    // Without a user the same work is done with a value that nobody can match.
    if (known != kAuthorized) ha1.assign(hex_bytes(scheme->algorithm), '0');
    Proof proof{.scheme = *scheme,
                .ha1 = ha1,
                .nonce = credentials.nonce,
                .nc = credentials.nc,
                .cnonce = credentials.cnonce,
                .qop = credentials.qop,
                .method = method.empty() ? run.message().method_name() : method,
                .uri = credentials.uri,
                .body = run.message().body()};
    const HexDigest expected = response_to(proof);
    uint32_t number = 0, count = 0;
    const NonceState nonce = check_nonce(credentials.nonce, settings.nonce_expire, number);
    const bool right = same_secret(expected.view(), credentials.response);
    if (known != kAuthorized) return known;
    if (!right) return kWrongPassword;
    // The password was right, so the client may try again with a fresh nonce without asking its user.
    g_last.stale = true;
    if (nonce == NonceState::expired || nonce == NonceState::foreign) return kNonceExpired;
    const bool counted = read_count(credentials.nc, count) && !credentials.qop.empty();
    if (settings.one_time_nonce != 0 && !use_nonce(number, UINT32_MAX)) return kNonceReused;
    if (settings.one_time_nonce == 0 && settings.nonce_count != 0 && counted && !use_nonce(number, count))
        return kNonceReused;
    g_last.stale = false;
    g_last.authorized = field;
    run.authorized_user = user_part(credentials.username);
    run.authorized_realm = credentials.realm;
    if (settings.add_authinfo_hdr != 0 && side == Side::www)
        append_authentication_info(proof, settings.one_time_nonce != 0 || nonce == NonceState::ageing,
                                   run.reply_headers);
    return kAuthorized;
}

std::string_view user_part(std::string_view username) { return username.substr(0, username.find('@')); }
std::string_view domain_part(std::string_view username) {
    const size_t at = username.find('@');
    return at == username.npos ? std::string_view() : username.substr(at + 1);
}

bool user_matches(script::Run& run) {
    const LastCheck* const last = last_check(run);
    if (last == nullptr) return false;
    // Whose contacts, or whose state, it is about: RFC 3261 10.2, RFC 3903 4.
    const sip::Method method = run.message().method();
    const bool of_to = method == sip::Method::register_ || method == sip::Method::publish;
    const sip::NameAddr* const party = of_to ? run.message().to() : run.message().from();
    sip::Uri uri;
    sip::Bad bad;
    return party != nullptr && sip::parse_uri(party->uri, uri, bad) && uri.user == user_part(last->username);
}

}  // namespace kahu::auth
