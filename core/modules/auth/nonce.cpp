#include "core/modules/auth/nonce.h"

#include <sys/random.h>

#include <atomic>
#include <cstring>
#include <new>

#include "core/base/clock.h"
#include "core/modules/auth/digest.h"
#include "mem/contract.h"

namespace kahu::auth {
namespace {

struct Head {
    char key[32];
    std::atomic<uint32_t> last;
    uint32_t cells;
};
Head* g_head = nullptr;
std::atomic<uint64_t>* g_cells = nullptr;

constexpr size_t kPayload = 16, kTag = 32;

void put_hex(uint32_t value, char* to) {
    for (int i = 7; i >= 0; --i, value >>= 4) to[i] = "0123456789abcdef"[value & 15];
}
bool get_hex(std::string_view text, uint32_t& out) {
    out = 0;
    for (const char c : text) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return false;
        out = out << 4 | static_cast<uint32_t>(digit);
    }
    return true;
}

// Key before and behind a payload of fixed length, half of the result: nothing can be appended or guessed.
HexDigest tag_of(std::string_view payload) {
    const std::string_view key(g_head->key, sizeof g_head->key);
    return digest_of(Algorithm::sha256, {key, payload, key});
}

}  // namespace

size_t nonce_part_bytes(size_t table_bytes) { return sizeof(Head) + table_bytes / 8 * 8; }

void construct_nonces(void* at, size_t bytes) {
    REQUIRE(bytes > sizeof(Head) + sizeof(uint64_t));
    g_head = ::new (at) Head{};
    REQUIRE(::getrandom(g_head->key, sizeof g_head->key, 0) == sizeof g_head->key);
    g_head->cells = static_cast<uint32_t>((bytes - sizeof(Head)) / sizeof(uint64_t));
    g_cells = ::new (g_head + 1) std::atomic<uint64_t>[g_head->cells] {};
}

std::string_view make_nonce(char* into) {
    uint32_t number = g_head->last.fetch_add(1, std::memory_order_relaxed) + 1;
    if (number == 0) number = g_head->last.fetch_add(1, std::memory_order_relaxed) + 1;
    g_cells[number % g_head->cells].store(uint64_t{number} << 32, std::memory_order_relaxed);
    put_hex(static_cast<uint32_t>(clock::unix_seconds()), into);
    put_hex(number, into + 8);
    const HexDigest tag = tag_of({into, kPayload});
    std::memcpy(into + kPayload, tag.text.data(), kTag);
    return {into, kNonceBytes};
}

NonceState check_nonce(std::string_view nonce, int64_t lifetime_seconds, uint32_t& number) {
    uint32_t made = 0;
    number = 0;
    if (nonce.size() != kNonceBytes || !get_hex(nonce.substr(0, 8), made) || !get_hex(nonce.substr(8, 8), number))
        return NonceState::foreign;
    const HexDigest tag = tag_of(nonce.substr(0, kPayload));
    if (!same_secret(tag.view().substr(0, kTag), nonce.substr(kPayload))) return NonceState::foreign;
    const int64_t age = clock::unix_seconds() - int64_t{made};
    if (age > lifetime_seconds || age < -lifetime_seconds) return NonceState::expired;
    return age * 2 > lifetime_seconds ? NonceState::ageing : NonceState::good;
}

bool use_nonce(uint32_t number, uint32_t count) {
    std::atomic<uint64_t>& cell = g_cells[number % g_head->cells];
    uint64_t seen = cell.load(std::memory_order_relaxed);
    do {
        if (seen >> 32 != number || count <= static_cast<uint32_t>(seen)) return false;
    } while (!cell.compare_exchange_weak(seen, uint64_t{number} << 32 | count, std::memory_order_relaxed));
    return true;
}

}  // namespace kahu::auth
