// tls/throwaway_identity.h -- keys, certificates and a CRL that live for a second: for the warm-up and for tests.
#pragma once
#include <string>

#include "core/base/result.h"
#include "tls/openssl_ptr.h"

namespace kahu::tls {

enum class KeyKind : uint8_t { ec_p256, rsa_1024, rsa_2048 };  // 1024 bits: only for speed, where nobody is protected

struct ThrowawayIdentity {
    OwnedKey key;
    OwnedCertificate certificate;
};

// FAILS with OpenSSL's reason.  issuer nullptr: self-signed, and a CA.
Result<ThrowawayIdentity> make_identity(KeyKind kind, const std::string& common_name, const ThrowawayIdentity* issuer,
                                        OSSL_LIB_CTX* library);
// An empty revocation list of that CA.
Result<OwnedCrl> make_empty_crl(const ThrowawayIdentity& issuer);

std::string pem_of(const X509* certificate);
std::string pem_of(const EVP_PKEY* key);
std::string pem_of(const X509_CRL* crl);

}  // namespace kahu::tls
