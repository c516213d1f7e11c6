#include "tls/algorithms.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

// Any one of a kind makes OpenSSL fill the kind's table.
template <class T>
bool there(T* (*fetch)(OSSL_LIB_CTX*, const char*, const char*), void (*free)(T*), OSSL_LIB_CTX* library,
           const char* name) {
    T* const found = fetch(library, name, nullptr);
    free(found);
    return found != nullptr;
}

}  // namespace

bool fill_algorithms(OSSL_LIB_CTX* library) {
    const uint64_t before = openssl_allocation_failures();
    const bool all = there(EVP_MD_fetch, EVP_MD_free, library, "SHA256") &&
                     there(EVP_CIPHER_fetch, EVP_CIPHER_free, library, "AES-128-GCM") &&
                     there(EVP_MAC_fetch, EVP_MAC_free, library, "HMAC") &&
                     there(EVP_KDF_fetch, EVP_KDF_free, library, "HKDF") &&
                     there(EVP_KEYMGMT_fetch, EVP_KEYMGMT_free, library, "RSA") &&
                     there(EVP_KEYEXCH_fetch, EVP_KEYEXCH_free, library, "ECDH") &&
                     there(EVP_SIGNATURE_fetch, EVP_SIGNATURE_free, library, "ECDSA") &&
                     there(EVP_ASYM_CIPHER_fetch, EVP_ASYM_CIPHER_free, library, "RSA") &&
                     there(OSSL_DECODER_fetch, OSSL_DECODER_free, library, "RSA");
    ERR_clear_error();
    return all && openssl_allocation_failures() == before;
}

}  // namespace kahu::tls
