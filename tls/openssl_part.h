// tls/openssl_part.h -- what the slots keep about OpenSSL in the segment.  Private to the shared_openssl and random
// files.
#pragma once
#include <openssl/types.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "mem/mutex.h"
#include "mem/slot.h"

namespace kahu::tls {

inline constexpr int kSpareLibraryContexts = 64;

struct OpensslPart {
    std::atomic<uint64_t> incarnations;  // of all slots; the last one's number
    std::atomic<uint64_t> incarnation_of[mem::kMaxSlots];
    std::atomic<uint64_t> retired_libctx;               // left unused because their process died with a write lock held
    mem::RobustMutex random_mutex;                      // kxlibssl
    std::atomic<OSSL_LIB_CTX*> libctx[mem::kMaxSlots];  // shared mode only, like the next
    std::atomic<OSSL_LIB_CTX*> spare_libctx[kSpareLibraryContexts];
};
// REQUIRES: the part was constructed (shared_openssl_part()).
OpensslPart& openssl_part();

// Library initialisation, random engine, ex_data indices: what a throw-away process needs, too, to see certificates and
// contexts just as the server will see them (no openssl.cnf).
Status prepare_openssl(std::string_view random_engine);

}  // namespace kahu::tls
