#include "tls/throwaway_identity.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls/openssl_error.h"

namespace kahu::tls {
namespace {

constexpr int kOneDay = 24 * 3600;

Error openssl_failed(std::string_view doing) {
    return {Errc::invalid, std::string(doing) + ": " + take_openssl_error(), ""};
}

EVP_PKEY* generate(KeyKind kind, OSSL_LIB_CTX* library) {
    if (kind == KeyKind::ec_p256) return EVP_PKEY_Q_keygen(library, nullptr, "EC", "P-256");
    return EVP_PKEY_Q_keygen(library, nullptr, "RSA", size_t{kind == KeyKind::rsa_1024 ? 1024U : 2048U});
}

bool extend(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill_in(X509* certificate, EVP_PKEY* key, const std::string& common_name, X509* issuer, bool is_ca) {
    static long serial = 0;
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
    const std::string alternative = "DNS:" + common_name;
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -kOneDay) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), kOneDay) != nullptr &&
           X509_set_pubkey(certificate, key) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           extend(certificate, issuer, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE") &&
           extend(certificate, issuer, NID_subject_key_identifier, "hash") &&
           extend(certificate, issuer, NID_authority_key_identifier, "keyid") &&
           (is_ca || extend(certificate, issuer, NID_subject_alt_name, alternative.c_str()));
}

template <class Write>
std::string written(Write&& write) {
    OwnedBio bio(BIO_new(BIO_s_mem()));
    char* data = nullptr;
    if (!bio || write(bio.get()) != 1) return {};
    const long bytes = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<size_t>(bytes)};
}

}  // namespace

Result<ThrowawayIdentity> make_identity(KeyKind kind, const std::string& common_name, const ThrowawayIdentity* issuer,
                                        OSSL_LIB_CTX* library) {
    ThrowawayIdentity made{OwnedKey(generate(kind, library)), OwnedCertificate(X509_new_ex(library, nullptr))};
    if (!made.key || !made.certificate) return openssl_failed("could not make a key");
    X509* const issuing = issuer ? issuer->certificate.get() : made.certificate.get();
    if (!fill_in(made.certificate.get(), made.key.get(), common_name, issuing, issuer == nullptr))
        return openssl_failed("could not fill in a certificate");
    if (X509_sign(made.certificate.get(), (issuer ? issuer->key : made.key).get(), EVP_sha256()) == 0)
        return openssl_failed("could not sign a certificate");
    return made;
}

Result<OwnedCrl> make_empty_crl(const ThrowawayIdentity& issuer) {
    OwnedCrl crl(X509_CRL_new());
    Owned<ASN1_TIME, ASN1_TIME_free> from(X509_gmtime_adj(nullptr, -kOneDay)), until(X509_gmtime_adj(nullptr, kOneDay));
    const bool done = crl && from && until && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1 &&
                      X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get())) == 1 &&
                      X509_CRL_set1_lastUpdate(crl.get(), from.get()) == 1 &&
                      X509_CRL_set1_nextUpdate(crl.get(), until.get()) == 1 &&
                      X509_CRL_sign(crl.get(), issuer.key.get(), EVP_sha256()) > 0;
    if (!done) return openssl_failed("could not make a revocation list");
    return crl;
}

std::string pem_of(const X509* certificate) {
    return written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}
std::string pem_of(const EVP_PKEY* key) {
    return written([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}
std::string pem_of(const X509_CRL* crl) {
    return written([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, crl); });
}

}  // namespace kahu::tls
