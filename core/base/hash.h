// core/base/hash.h -- keyed hashing of network input (SipHash-like strength is not claimed): the
// seed is drawn at start, so that a peer cannot choose colliding keys offline.
#pragma once
#include <cstdint>
#include <string_view>

namespace kahu {
void seed_hash(uint64_t seed);                        // once, before the first fork
uint64_t hash_bytes(const void* data, size_t bytes);  // same in every process of one start
inline uint64_t hash_text(std::string_view s) { return hash_bytes(s.data(), s.size()); }
}  // namespace kahu
