// tls/warm_up.h -- makes OpenSSL fill every lazily made table before the first fork.
//
// WHY    What libcrypto makes at first use it remembers in static variables, which each process has its own copy of:
//        made after the fork, two processes would disagree about shared objects.  So everything we use is used once,
//        before.
// LIVES  Leaves nothing behind but OpenSSL's own caches.  Takes about 50 ms.
// FAILS  With OpenSSL's reason: the server would not work either.
#pragma once
#include <openssl/types.h>

#include "core/base/result.h"

namespace kahu::tls {

Status warm_up_openssl();

}  // namespace kahu::tls
