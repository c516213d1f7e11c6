// core/modules/auth/nonce.h -- nonces: made here, known again here, in any process.
//
// WHY    A nonce carries its own time and number and a keyed hash over both, so that nothing is stored per challenge
//        (a flood of unanswered ones costs no memory) and any process can check what another one gave out.
// LIVES  Key, counter and the table of nonce counts are a part of the segment: new with each start, so nonces of an
//        earlier one are found invalid and answered with a fresh challenge (stale).
// LOCKS  None: a cell of the table is one atomic word, number and highest nonce count.
// FAILS  When more nonces are in use than the table has cells, the oldest are displaced: they count as expired.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace kahu::auth {

size_t nonce_part_bytes(size_t table_bytes);
void construct_nonces(void* at, size_t bytes);  // draws the key

inline constexpr size_t kNonceBytes = 48;  // hexadecimal: time, number, keyed hash
std::string_view make_nonce(char* into);

enum class NonceState : uint8_t { good, ageing, expired, foreign };  // ageing: good, but half its time is gone
// `number` is for use_nonce().
NonceState check_nonce(std::string_view nonce, int64_t lifetime_seconds, uint32_t& number);

// Each nonce count once, and rising (RFC 7616 3.4); `count` UINT32_MAX uses the nonce up.  After the response was found
// right, so that only the client itself can use its nonce up.  False: replayed, or displaced.
bool use_nonce(uint32_t number, uint32_t count);

}  // namespace kahu::auth
