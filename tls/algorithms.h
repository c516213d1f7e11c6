// tls/algorithms.h -- a library context's tables of algorithms, filled all at once.
//
// WHY    OpenSSL fills the table of a kind of algorithm when one of that kind is asked for first, and never again: what
//        could not be made then, for lack of memory, is missing for ever, and so are the cipher suites that need it.
// FAILS  False: an allocation failed; the context must not be used any more.
#pragma once
#include <openssl/types.h>

namespace kahu::tls {

// Takes 1 ms and 260 KB the first time, 20 us later.
bool fill_algorithms(OSSL_LIB_CTX* library);

}  // namespace kahu::tls
