// tls/credentials.h -- our own certificates and keys, from PEM text into an SSL_CTX.
//
// FAILS  With the file's name, what is wrong in words, and the usual remedy.
#pragma once
#include <openssl/ssl.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "tls/generation.h"
#include "tls/openssl_ptr.h"

namespace kahu::tls {

OSSL_LIB_CTX* library_context();  // this slot's; before OpenSSL is started in shared mode, the default one

// All certificates of a PEM text, in order.  Text with none is an error.
Result<std::vector<OwnedCertificate>> read_certificates(std::string_view pem);
Result<OwnedKey> read_private_key(std::string_view pem, std::string_view password);

// Certificate, chain and key; also that they belong together and are strong enough for the context's security level.
// Warns of dates.
Status use_credentials(SSL_CTX* context, const Blob& certificate, const Blob& private_key, std::string_view password,
                       std::vector<std::string>* warnings);

// "expired on 2026-11-20 (3 days ago)", "expires on ... (in 5 days)", "is not valid before ..."; "" if neither.
std::string date_remark(const X509* certificate, int64_t now_unix);
int64_t unix_time_of(const ASN1_TIME* time);
std::string day_text(int64_t unix_seconds);  // "2026-11-20", UTC

}  // namespace kahu::tls
