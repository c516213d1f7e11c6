// tls/random.h -- OpenSSL's random numbers, from a ChaCha20 generator of each process's own.
//
// WHY    OpenSSL's default keeps a primary generator behind a lock in the segment: a process killed in it could spoil
//        it for all, and it costs ten times as much (RAND_bytes(32): 650 ns against 77).
// LIVES  A private page per thread, wiped by the kernel on fork (MADV_WIPEONFORK): no child continues its
//        parent's stream.  Keyed from getrandom(2) at first use, after a fork and after each MiB.
//        Fast key erasure: the key is replaced by the first 32 bytes of each block, output is wiped when handed out.
// LOCKS  None.
// FAILS  abort() if the kernel gives no random bytes: there is nothing sensible to go on with.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.h"

namespace kahu::tls {

void random_bytes(void* into, size_t bytes) noexcept;

// Makes the engine of that name OpenSSL's: cryptorand, kxlibssl (OpenSSL's own under a lock in the segment), krand and
// fastrand (cryptorand, with a warning in the log).  Before the first fork; REQUIRES the segment.
Status use_rand_engine(std::string_view name);

// One block of RFC 8439 section 2.3 with a 64-bit counter and a zero nonce: for the test against the published vectors.
void chacha20_block(std::span<const uint32_t, 8> key, uint64_t counter, std::span<unsigned char, 64> out) noexcept;

}  // namespace kahu::tls
