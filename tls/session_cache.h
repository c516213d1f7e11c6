// tls/session_cache.h -- sessions by id, for peers without tickets: one cache for all processes.
//
// WHY    A session cached in one worker is useless when the peer comes back to another: Kamailio resumes 0 % by id.
// LIVES  Segment part "tls.sessions": buckets of 16 rows; a row owns a serialised session in the heap (Tag::openssl).
//        Outlives workers and generations.  `session_cache_size` is the number of sessions kept on average; a
//        bucket that fills up gives way earliest-used first.
// LOCKS  One robust mutex per bucket, never two at once, no OpenSSL call under it.
// DEATH  A row is valid by itself or not at all: a death under the lock costs one session and leaks one block.
// FAILS  Silently: what is not stored or not found is a full handshake.
#pragma once
#include <openssl/types.h>

#include <cstddef>
#include <cstdint>

#include "core/module/setting.h"
#include "mem/segment.h"

namespace kahu::tls {

extern IntSetting session_cache;       // boolean, default 1: resumption by id
extern IntSetting session_cache_size;  // sessions, default 16384
extern IntSetting session_timeout;     // seconds, default 7200: sessions and tickets

mem::Part session_cache_part();               // REQUIRES: session_cache_size is final
bool enable_session_cache(SSL_CTX* context);  // by configure_context()

struct SessionCacheUse {
    int64_t sessions = 0, bytes = 0;
    int64_t capacity = 0;
    int64_t rows_repaired = 0;
};
SessionCacheUse session_cache_use();
void clear_session_cache();

}  // namespace kahu::tls
