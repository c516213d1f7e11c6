// tls/openssl_error.h -- OpenSSL's error queue as one short text, and the usual remedy for it.
//
// WHY    "error:0A00018F:SSL routines::ee key too small" tells an administrator neither which file nor what to do.
// LIVES  Reads and empties the error queue of the calling process.
// FAILS  Never: an empty queue gives "unknown reason".
#pragma once
#include <string>
#include <string_view>

namespace kahu::tls {

struct OpensslReason {
    std::string what;  // "key too small", "no start line: not in PEM format"
    std::string hint;  // "use a key of 2048 bits or more, ..."; may be empty
};
// The oldest entry that says something, as the cause: later ones are its consequences.
OpensslReason take_openssl_reason();

inline std::string take_openssl_error() { return take_openssl_reason().what; }

// What X509_verify_cert_error_string() says, with the commonest ones in plainer words.
std::string verify_reason(long verify_result);

}  // namespace kahu::tls
