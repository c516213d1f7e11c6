#include "tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "core/base/clock.h"
#include "mem/mutex.h"
#include "tls/random.h"
#include "tls/session_cache.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {

IntSetting session_tickets{1};
IntSetting ticket_key_rotation{12};

namespace {

constexpr uint32_t kKeys = 16;
constexpr size_t kNameBytes = 16;  // of the ticket format, RFC 5077 section 4

struct Key {
    int64_t made_unix;
    unsigned char name[kNameBytes];
    unsigned char aes[32], hmac[32];
};

// made: how many keys were ever made; the newest is keys[(made - 1) % kKeys].  It is stored after the key is whole.
// The cell written next is the oldest one, which is out of force (rotate_ticket_keys), so no reader looks at it.
struct Ring {
    mem::RobustMutex mutex;
    std::atomic<uint32_t> made;
    Key keys[kKeys];
};
Ring* g_ring = nullptr;

// All keys in force must fit into the ring.
int64_t rotation_seconds() { return std::max<int64_t>(ticket_key_rotation * 3600, session_timeout / (kKeys - 2)); }
int64_t seconds_in_force() { return rotation_seconds() + session_timeout; }

const Key* newest() {
    const uint32_t made = g_ring ? g_ring->made.load(std::memory_order_acquire) : 0;
    return made == 0 ? nullptr : &g_ring->keys[(made - 1) % kKeys];
}

bool in_force(const Key& key) {
    return key.made_unix != 0 && clock::unix_seconds() - key.made_unix <= seconds_in_force();
}

const Key* find(const unsigned char* name) {
    for (const Key& key : g_ring->keys)
        if (CRYPTO_memcmp(key.name, name, kNameBytes) == 0) return in_force(key) ? &key : nullptr;
    return nullptr;
}

bool set_mac_key(EVP_MAC_CTX* mac, const Key& key) {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.hmac), sizeof key.hmac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

// Of this slot's library context: EVP_aes_256_cbc() would look it up in the one that all processes share, each time.
const EVP_CIPHER* ticket_cipher() {
    static uint64_t incarnation = 0;
    static EVP_CIPHER* cipher = nullptr;
    if (!cipher || incarnation != slot_incarnation()) cipher = EVP_CIPHER_fetch(slot_libctx(), "AES-256-CBC", nullptr);
    incarnation = slot_incarnation();
    return cipher;
}

// OpenSSL's contract (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)): encrypting 1 done, 0 no ticket; decrypting 2 done and
// send a new ticket, 1 done, 0 unknown key: full handshake.  -1 breaks the handshake off.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypt) {
    const Key* const current = newest();
    if (!current) return 0;
    if (encrypt) {
        std::memcpy(name, current->name, kNameBytes);
        random_bytes(iv, 16);
        return EVP_EncryptInit_ex2(cipher, ticket_cipher(), current->aes, iv, nullptr) == 1 &&
                       set_mac_key(mac, *current)
                   ? 1
                   : -1;
    }
    const Key* const key = find(name);
    if (!key) return 0;
    if (EVP_DecryptInit_ex2(cipher, ticket_cipher(), key->aes, iv, nullptr) != 1 || !set_mac_key(mac, *key)) return -1;
    // TLS 1.3 tickets are for one use (RFC 8446 C.4): each resumption gets the next one.
    return key == current && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

}  // namespace

mem::Part ticket_keys_part() {
    return {"tls.tickets", sizeof(Ring), [](void* at, size_t) { g_ring = ::new (at) Ring{}; }};
}

bool enable_tickets(SSL_CTX* context) {
    if (session_tickets == 0) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        return true;
    }
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

bool rotate_ticket_keys(bool now) {
    const auto due = [now] {
        const Key* key = newest();
        return !key || now || clock::unix_seconds() - key->made_unix >= rotation_seconds();
    };
    if (!g_ring || !due()) return false;
    // A death under the lock leaves a cell half written that is not in force: nothing to repair.
    if (g_ring->mutex.lock() == mem::Acquired::after_death) g_ring->mutex.mark_repaired();
    const uint32_t made = g_ring->made.load(std::memory_order_relaxed);
    Key& cell = g_ring->keys[made % kKeys];
    const bool make = due() && !in_force(cell);  // forced rotation never drops a key that still decrypts
    if (make) {
        cell.made_unix = 0;
        random_bytes(cell.name, sizeof cell.name);
        random_bytes(cell.aes, sizeof cell.aes);
        random_bytes(cell.hmac, sizeof cell.hmac);
        cell.made_unix = clock::unix_seconds();
        g_ring->made.store(made + 1, std::memory_order_release);
    }
    g_ring->mutex.unlock();
    return make;
}

int ticket_keys_in_force() {
    int count = 0;
    for (uint32_t i = 0; g_ring && i < kKeys; ++i) count += in_force(g_ring->keys[i]);
    return count;
}

}  // namespace kahu::tls
