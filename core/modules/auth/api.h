// core/modules/auth/api.h -- checking credentials, for modules that know passwords (auth_db).
//
// WHY    Which header, which nonce, which algorithm, what counts as replayed: the same for every source of passwords.
// LIVES  The outcome of the last check is kept per process for the message: consume_credentials() and the stale flag of
//        the next challenge use it.
// FAILS  Negative return codes are the ones that scripts know from Kamailio.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/modules/auth/digest.h"
#include "core/script/run.h"
#include "core/sip/auth.h"

namespace kahu::auth {

enum Outcome : int {
    kAuthorized = 1,
    kError = -1,
    kWrongPassword = -2,
    kUnknownUser = -3,
    kNonceExpired = -4,
    kNoCredentials = -5,
    kNonceReused = -6,
    kUserMismatch = -8,
};

enum class Side : uint8_t { www, proxy };  // Authorization and 401, Proxy-Authorization and 407
inline Side side_of(const script::Run& run) {
    return run.message().method() == sip::Method::register_ ? Side::www : Side::proxy;
}

// What a source of passwords answers: kAuthorized with `ha1` in hexadecimal, kUnknownUser, or kError.
using Ha1Source = std::function<Outcome(const sip::AuthValue& credentials, Algorithm algorithm, std::string& ha1)>;

// An unknown user costs the same time as a wrong password.  `method` empty: the request's.
Outcome authenticate(script::Run& run, Side side, std::string_view realm, std::string_view method,
                     const Ha1Source& source);

// The user of the credentials that authenticate() last saw for this message is the one in To (REGISTER) or From.
bool user_matches(script::Run& run);

// "alice" of "alice@example.com" or "alice".
std::string_view user_part(std::string_view username);
std::string_view domain_part(std::string_view username);  // "" if there is none

}  // namespace kahu::auth
