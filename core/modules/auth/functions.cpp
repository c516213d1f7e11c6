#include "core/modules/auth/functions.h"

#include <fmt/format.h>

#include "core/modules/auth/check.h"
#include "core/modules/auth/nonce.h"
#include "core/modules/auth/settings.h"
#include "core/script/function.h"
#include "core/script/reply.h"
#include "core/script/transaction_layer.h"
#include "core/sip/quoting.h"

namespace kahu::auth {
namespace {

using script::Args;
using script::Run;

enum ChallengeFlag : int64_t { kQopAuth = 1, kQopAuthInt = 2, kNoErrorReply = 4, kStale = 16 };

bool answer(Run& run, int status, const script::ReplyText& text) {
    const auto stateful = script::transaction_layer().reply;
    if (stateful != nullptr && settings.force_stateless_reply == 0) {
        const auto answered = stateful(run, status, text);
        if (answered != script::TransactionLayer::Answered::no_transaction)
            return answered == script::TransactionLayer::Answered::sent;
    }
    return script::reply_stateless(run, status, text);
}

// The value of a challenge's header, with a nonce of its own.
void append_challenge(Algorithm algorithm, std::string_view realm, int64_t flags, bool stale, std::string& out) {
    char nonce[kNonceBytes];
    out.append("Digest realm=");
    sip::append_quoted(realm, out);
    out.append(", nonce=\"").append(make_nonce(nonce)).append("\"");
    if ((flags & (kQopAuth | kQopAuthInt)) != 0) {
        const bool both = (flags & kQopAuth) != 0 && (flags & kQopAuthInt) != 0;
        out.append(both                      ? ", qop=\"auth,auth-int\""
                   : (flags & kQopAuth) != 0 ? ", qop=\"auth\""
                                             : ", qop=\"auth-int\"");
    }
    if (!settings.algorithm.get().empty()) out.append(", algorithm=").append(name_of(algorithm));
    if (stale) out.append(", stale=true");
}
// One header per algorithm (RFC 8760).
void append_challenges(Side side, std::string_view realm, int64_t flags, bool stale, std::string& lines) {
    const std::string& name =
        side == Side::www ? settings.www_challenge_header.get() : settings.proxy_challenge_header.get();
    for (const Algorithm algorithm : offered()) {
        lines.append(name).append(": ");
        append_challenge(algorithm, realm, flags, stale, lines);
        lines.append("\r\n");
    }
}
bool is_stale(const Run& run, int64_t flags) {
    const LastCheck* const last = last_check(run);
    return (flags & kStale) != 0 || (last != nullptr && last->stale);
}

int challenge(Run& run, const Args& args, Side side) {
    const std::string_view realm = without_prefix(args.text(run, 0));
    const int64_t flags = args.number(run, 1, 0);
    if (realm.empty() || realm.find_first_of("\r\n") != realm.npos) {
        if ((flags & kNoErrorReply) == 0) answer(run, 500, {.reason = "Internal Server Error"});
        return kError;
    }
    static std::string lines;
    lines.clear();
    append_challenges(side, realm, flags, is_stale(run, flags), lines);
    const int status = side == Side::www ? 401 : 407;
    const std::string_view reason = side == Side::www ? "Unauthorized" : "Proxy Authentication Required";
    return answer(run, status, {.reason = reason, .extra_headers = lines}) ? 1 : kError;
}
int www_challenge(Run& run, const Args& args) { return challenge(run, args, Side::www); }
int proxy_challenge(Run& run, const Args& args) { return challenge(run, args, Side::proxy); }
int auth_challenge(Run& run, const Args& args) { return challenge(run, args, side_of(run)); }

// The challenge as a value, for scripts that answer by themselves.
int get_www_authenticate(Run& run, const Args& args) {
    const std::string_view realm = without_prefix(args.text(run, 0));
    const int64_t flags = args.number(run, 1, 0);
    if (realm.empty() || realm.find_first_of("\r\n") != realm.npos) return kError;
    std::string challenge;
    append_challenge(offered().front(), realm, flags, is_stale(run, flags), challenge);
    return args.assign(run, 2, script::Value::of(run.arena().copy(challenge))) ? 1 : kError;
}
Status prepare_get_www_authenticate(Args& args) { return args.require_assignable(2); }

// --- passwords given by the script ------------------------------------------------------------------------------
constexpr int64_t kIsHa1 = 1;

Outcome check_given(Run& run, const Args& args, Side side) {
    const std::string_view realm = args.text(run, 0), password = args.text(run, 1), method = args.text(run, 3);
    const bool is_ha1 = (args.number(run, 2, 0) & kIsHa1) != 0;
    if (realm.empty()) return kError;
    return authenticate(run, side, realm, side == Side::www ? method : std::string_view(),
                        [&](const sip::AuthValue& c, Algorithm algorithm, std::string& ha1) {
                            if (is_ha1 && password.size() != hex_bytes(algorithm)) return kError;
                            ha1 = is_ha1 ? password : ha1_of(algorithm, c.username, c.realm, password).view();
                            return kAuthorized;
                        });
}
int pv_www(Run& run, const Args& args) { return check_given(run, args, Side::www); }
int pv_proxy(Run& run, const Args& args) { return check_given(run, args, Side::proxy); }

int pv_auth_check(Run& run, const Args& args) {
    const std::string_view realm = args.text(run, 0), password = args.text(run, 1);
    const bool is_ha1 = (args.number(run, 2, 0) & kIsHa1) != 0;
    if (realm.empty()) return kError;
    const Outcome outcome =
        authenticate(run, side_of(run), realm, {}, [&](const sip::AuthValue& c, Algorithm algorithm, std::string& ha1) {
            if (is_ha1 && password.size() != hex_bytes(algorithm)) return kError;
            ha1 = is_ha1 ? password : ha1_of(algorithm, c.username, c.realm, password).view();
            return kAuthorized;
        });
    if (outcome != kAuthorized) return outcome;
    return args.number(run, 3, 0) == 0 || user_matches(run) ? kAuthorized : kUserMismatch;
}

// --- the header itself ---------------------------------------------------------------------------------------------
int consume_credentials(Run& run, const Args&) {
    const LastCheck* const last = last_check(run);
    if (last == nullptr || last->authorized == nullptr) return -1;
    run.edits.remove_header(run.message(), *last->authorized);
    return 1;
}

int has_credentials(Run& run, const Args& args) {
    const std::string_view realm = without_prefix(args.text(run, 0));
    sip::AuthValue unused;
    return find_credentials(run, Side::www, realm, unused) != nullptr ||
                   find_credentials(run, Side::proxy, realm, unused) != nullptr
               ? 1
               : -1;
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"www_challenge", 2, 2, "(string realm, int flags)",
     "Answers 401 with a challenge.  Flags: 1 qop auth, 2 qop auth-int, 4 no 500 on mistakes, 16 stale.", kRequests,
     www_challenge},
    {"proxy_challenge", 2, 2, "(string realm, int flags)", "As www_challenge(), with 407.", kRequests, proxy_challenge},
    {"auth_challenge", 2, 2, "(string realm, int flags)",
     "www_challenge() to a REGISTER, proxy_challenge() to other requests.", kRequests, auth_challenge},
    {"auth_get_www_authenticate", 3, 3, "(string realm, int flags, variable)",
     "Puts the value of a WWW-Authenticate header, as www_challenge() would send it, into the variable.", kAnyRoute,
     get_www_authenticate, prepare_get_www_authenticate},
    {"pv_www_authorize", 3, 4, "(string realm, string password, int flags [, string method])",
     "The same as pv_www_authenticate().", kRequests, pv_www},
    {"pv_proxy_authorize", 3, 3, "(string realm, string password, int flags)", "The same as pv_proxy_authenticate().",
     kRequests, pv_proxy},
    {"pv_www_authenticate", 3, 4, "(string realm, string password, int flags [, string method])",
     "Checks Authorization against the password; flag 1: it is an HA1.  -2 wrong password, -4 nonce expired, -5 no "
     "credentials, -6 nonce reused.",
     kRequests, pv_www},
    {"pv_proxy_authenticate", 3, 3, "(string realm, string password, int flags)",
     "As pv_www_authenticate(), with Proxy-Authorization.", kRequests, pv_proxy},
    {"pv_auth_check", 4, 4, "(string realm, string password, int flags, int checks)",
     "The first of them for a REGISTER, the second for other requests.  checks 1: the user is the one in To or From, "
     "else -8.",
     kRequests, pv_auth_check},
    {"consume_credentials", 0, 0, "()", "Removes the header that was found right.", kRequests, consume_credentials},
    {"has_credentials", 1, 1, "(string realm)", "Whether there are credentials for that realm.", kRequests,
     has_credentials},
};

}  // namespace

std::span<const Function> functions() { return kFunctions; }

}  // namespace kahu::auth
