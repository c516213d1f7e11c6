#include "tls/openssl_error.h"

#include <openssl/asn1err.h>
#include <openssl/err.h>
#include <openssl/evperr.h>
#include <openssl/pemerr.h>
#include <openssl/proverr.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509err.h>

namespace kahu::tls {
namespace {

struct Row {
    int library, reason;
    const char* what;
    const char* hint;
};
constexpr const char* kWeakHint = "use RSA of 2048 bits or more or an EC key, or set cipher_list = DEFAULT@SECLEVEL=1";

constexpr Row kRows[] = {
    {ERR_LIB_PEM, PEM_R_NO_START_LINE, "no PEM block of the expected kind in it",
     "is it the right file, and in PEM format?"},
    {ERR_LIB_PEM, PEM_R_BAD_END_LINE, "a PEM block has no valid end line", "the file seems cut off"},
    {ERR_LIB_PEM, PEM_R_BAD_BASE64_DECODE, "a PEM block is not valid base64", "the file seems damaged"},
    {ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ, "it is encrypted and no password is given", "set private_key_password"},
    {ERR_LIB_PEM, PEM_R_BAD_DECRYPT, "the password does not open it", "check private_key_password"},
    {ERR_LIB_EVP, EVP_R_BAD_DECRYPT, "the password does not open it", "check private_key_password"},
    {ERR_LIB_PROV, PROV_R_BAD_DECRYPT, "the password does not open it", "check private_key_password"},
    {ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH, "the private key does not belong to the certificate", ""},
    {ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH, "the private key is of another type than the certificate's", ""},
    {ERR_LIB_SSL, SSL_R_EE_KEY_TOO_SMALL, "key too small", kWeakHint},
    {ERR_LIB_SSL, SSL_R_CA_KEY_TOO_SMALL, "the key of a CA certificate in it is too small", kWeakHint},
    {ERR_LIB_SSL, SSL_R_CA_MD_TOO_WEAK, "a certificate in it is signed with too weak a digest",
     "have it issued with SHA-256, or set cipher_list = DEFAULT@SECLEVEL=0"},
    {ERR_LIB_SSL, SSL_R_NO_CIPHER_MATCH, "no cipher of that name", "`openssl ciphers -v` lists the names"},
};

const Row* row_of(unsigned long code) {
    for (const Row& row : kRows)
        if (ERR_GET_LIB(code) == row.library && ERR_GET_REASON(code) == row.reason) return &row;
    return nullptr;
}

}  // namespace

OpensslReason take_openssl_reason() {
    OpensslReason found;
    bool explained = false;
    int flags = 0;
    const char* data = nullptr;
    while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) {  // whatever else is said follows from it
            found = {"out of memory", "start with a larger -m"};
            explained = true;
        }
        if (explained) continue;
        if (const Row* row = row_of(code)) {
            found = {row->what, row->hint};
            explained = true;
            continue;
        }
        if (!found.what.empty()) continue;
        const char* reason = ERR_reason_error_string(code);
        found.what = reason != nullptr ? reason : "error " + std::to_string(code);
        if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') found.what.append(": ").append(data);
    }
    if (found.what.empty()) found.what = "unknown reason";
    return found;
}

std::string verify_reason(long verify_result) {
    switch (verify_result) {
    case X509_V_OK: return "ok";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return "issuer is not in ca_list";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "self-signed certificate that is not in ca_list";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return "chain ends at a root that is not in ca_list";
    case X509_V_ERR_UNABLE_TO_GET_CRL: return "no CRL of its issuer in crl";
    default: return X509_verify_cert_error_string(verify_result);
    }
}

}  // namespace kahu::tls
