#include "core/base/hash.h"

#include <cstring>

namespace kahu {
namespace {
uint64_t g_seed = 0x9e3779b97f4a7c15u;

uint64_t mix(uint64_t a, uint64_t b) {  // 64x64 -> 128 multiply, folded (the wyhash construction)
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
uint64_t load(const unsigned char* p, size_t n) {
    uint64_t v = 0;
    if (n > 0) std::memcpy(&v, p, n);
    return v;
}
}  // namespace

void seed_hash(uint64_t seed) { g_seed = seed | 1; }

uint64_t hash_bytes(const void* data, size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    uint64_t h = g_seed ^ (bytes * 0xa0761d6478bd642fu);
    while (bytes > 16) {
        h = mix(load(p, 8) ^ 0xe7037ed1a0b428dbu, load(p + 8, 8) ^ h);
        p += 16;
        bytes -= 16;
    }
    const size_t first = bytes < 8 ? bytes : 8;
    const uint64_t a = load(p, first);
    const uint64_t b = load(p + first, bytes - first);
    return mix(a ^ 0x8ebc6af09c88c6e3u, mix(b ^ h, 0x589965cc75374cc3u) ^ g_seed);
}
}  // namespace kahu
