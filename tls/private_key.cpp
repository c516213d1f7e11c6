#include "tls/private_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "mem/slot.h"
#include "tls/openssl_part.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

int g_index = -1;          // OwnKeys of a context
int g_builder_index = -1;  // the incarnation that made a context, in place of a pointer

// The duplicates of one context's RSA keys.  A context has at most one certificate per key type, and RSA and RSA-PSS
// are the two types whose signatures are blinded.
constexpr int kKeysPerContext = 2;

struct OwnKey {
    EVP_PKEY* original;  // borrowed from the context
    EVP_PKEY* duplicate;
    uint64_t incarnation;
};
struct OwnKeys {
    OwnKey of_slot[mem::kMaxSlots][kKeysPerContext];
};

void forget(OwnKey& own, int slot) {
    // A process that died may have been inside its key.
    if (own.incarnation == openssl_part().incarnation_of[slot].load(std::memory_order_relaxed))
        EVP_PKEY_free(own.duplicate);
    own = {};
}

void on_context_freed(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
    auto* keys = static_cast<OwnKeys*>(data);
    if (!keys) return;
    for (int slot = 0; slot < mem::kMaxSlots; ++slot)
        for (OwnKey& own : keys->of_slot[slot])
            if (own.duplicate) forget(own, slot);
    OPENSSL_free(keys);
}

OwnKeys* keys_of(SSL_CTX* context) {
    auto* keys = static_cast<OwnKeys*>(SSL_CTX_get_ex_data(context, g_index));
    if (keys) return keys;
    keys = static_cast<OwnKeys*>(OPENSSL_zalloc(sizeof(OwnKeys)));
    if (keys && SSL_CTX_set_ex_data(context, g_index, keys) != 1) {
        OPENSSL_free(keys);
        keys = nullptr;
    }
    return keys;
}

// nullptr: out of memory.
EVP_PKEY* own_key(SSL_CTX* context, EVP_PKEY* original) {
    OwnKeys* keys = keys_of(context);
    if (!keys) return nullptr;
    OwnKey* unused = nullptr;
    for (OwnKey& own : keys->of_slot[mem::current_slot()]) {
        if (own.duplicate && own.incarnation != slot_incarnation()) forget(own, mem::current_slot());
        if (own.duplicate && own.original == original) return own.duplicate;
        if (!own.duplicate && !unused) unused = &own;
    }
    if (!unused) return nullptr;
    *unused = {original, duplicate_key(original), slot_incarnation()};
    return unused->duplicate;
}

bool is_blinded(const EVP_PKEY* key) { return key && (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")); }

}  // namespace

bool prepare_private_keys() {
    if (g_index < 0) g_index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, on_context_freed);
    if (g_builder_index < 0) g_builder_index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return g_index >= 0 && g_builder_index >= 0;
}

bool own_the_keys_of(SSL_CTX* context) {
    return SSL_CTX_set_ex_data(context, g_builder_index, reinterpret_cast<void*>(slot_incarnation())) == 1;
}

void leave_keys_to_the_dead(SSL_CTX* context) {
    for (long more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT)) {
        EVP_PKEY* const key = SSL_CTX_get0_privatekey(context);
        if (is_blinded(key)) EVP_PKEY_up_ref(key);
    }
}

EVP_PKEY* duplicate_key(EVP_PKEY* key) { return EVP_PKEY_dup(key); }

int use_own_key(SSL* ssl, void*) {
    SSL_CTX* const context = SSL_get_SSL_CTX(ssl);
    if (reinterpret_cast<uint64_t>(SSL_CTX_get_ex_data(context, g_builder_index)) == slot_incarnation()) return 1;
    // By the context's certificates, not by the SSL's: those may be duplicates already.
    for (long more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT)) {
        EVP_PKEY* const original = SSL_CTX_get0_privatekey(context);
        if (!is_blinded(original)) continue;
        EVP_PKEY* const own = own_key(context, original);
        if (!own || SSL_use_PrivateKey(ssl, own) != 1) return 0;
    }
    SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST);
    return 1;
}

}  // namespace kahu::tls
