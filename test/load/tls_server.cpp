#include "test/load/tls_server.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace kahu::load {
namespace {

EVP_PKEY* new_key(bool rsa) { return rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"); }

bool certify(SSL_CTX* context, EVP_PKEY* key) {
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("kahu-load"), -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    const bool ok = X509_sign(certificate, key, EVP_sha256()) > 0 &&
                    SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(certificate);
    return ok;
}

}  // namespace

Result<Context> make_server_context(const Options& options) {
    Context context(SSL_CTX_new(TLS_server_method()));
    EVP_PKEY* key = new_key(!options.rsa.empty());
    const bool ok = context && key != nullptr && certify(context.get(), key);
    EVP_PKEY_free(key);
    if (!ok) return Error{Errc::invalid, "could not make a certificate: " + openssl_reason(), ""};
    const int version = options.tls == "1.2" ? TLS1_2_VERSION : options.tls == "1.3" ? TLS1_3_VERSION : 0;
    SSL_CTX_set_min_proto_version(context.get(), version == 0 ? TLS1_2_VERSION : version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    if (!options.groups.empty() && SSL_CTX_set1_groups_list(context.get(), options.groups.c_str()) != 1)
        return Error{Errc::invalid, "--groups: " + openssl_reason(), ""};
    return context;
}

}  // namespace kahu::load
