#include "tls/verify.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "tls/channel.h"
#include "tls/credentials.h"
#include "tls/openssl_error.h"

namespace kahu::tls {
namespace {

constexpr const char* kSipDomain = "1.3.6.1.5.5.7.3.20";  // id-kp-sipDomain
struct FreeObject {
    void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
};

std::string subject_of(X509* certificate) {
    char line[256] = "";
    if (certificate != nullptr) X509_NAME_oneline(X509_get_subject_name(certificate), line, sizeof line);
    return text::printable(line);
}

// RFC 5924: a certificate that is for SIP domains is good for both roles in SIP, though OpenSSL knows only those of the
// web.
bool is_for_sip_domains(X509* certificate) {
    const uint32_t usage = X509_get_key_usage(certificate);  // all ones: not limited
    if ((usage & KU_DIGITAL_SIGNATURE) == 0 || X509_check_ca(certificate) != 0) return false;
    auto* const purposes =
        static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr));
    const std::unique_ptr<ASN1_OBJECT, FreeObject> wanted(OBJ_txt2obj(kSipDomain, 1));
    bool found = false;
    for (int i = 0; wanted != nullptr && i < sk_ASN1_OBJECT_num(purposes) && !found; ++i)
        found = OBJ_cmp(sk_ASN1_OBJECT_value(purposes, i), wanted.get()) == 0;
    EXTENDED_KEY_USAGE_free(purposes);
    return found;
}

// Says once, in words, why the handshake is going to fail: OpenSSL itself keeps only a number.
int explain(int ok, X509_STORE_CTX* store) {
    if (ok == 1) return 1;
    if (X509_STORE_CTX_get_error(store) == X509_V_ERR_INVALID_PURPOSE && X509_STORE_CTX_get_error_depth(store) == 0 &&
        is_for_sip_domains(X509_STORE_CTX_get_current_cert(store))) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    if (ssl != nullptr)
        explain_failure(
            ssl,
            fmt::format("peer certificate: {} (depth {}, subject {})", verify_reason(X509_STORE_CTX_get_error(store)),
                        X509_STORE_CTX_get_error_depth(store), subject_of(X509_STORE_CTX_get_current_cert(store))));
    return 0;
}

// Whatever is wrong stays the verify result, since nothing later resets it.
int accept_any(int, X509_STORE_CTX*) { return 1; }

Status add_certificates(SSL_CTX* context, const Blob& file, bool announce) {
    auto certificates = read_certificates(file.data);
    if (!certificates) return std::move(certificates).error().context(file.path);
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    for (const OwnedCertificate& certificate : *certificates) {
        if (X509_STORE_add_cert(store, certificate.get()) != 1)
            return Error{Errc::no_memory, fmt::format("{}: {}", file.path, take_openssl_error()), ""};
        // Clients choose their certificate by the names the server announces.
        if (announce && SSL_CTX_add_client_CA(context, certificate.get()) != 1)
            return Error{Errc::no_memory, fmt::format("{}: {}", file.path, take_openssl_error()), ""};
    }
    return {};
}

Result<std::vector<OwnedCrl>> read_crls(std::string_view pem) {
    ERR_clear_error();
    OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    std::vector<OwnedCrl> found;
    while (bio) {
        OwnedCrl crl(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
        if (!crl) break;
        found.push_back(std::move(crl));
    }
    const unsigned long last = ERR_peek_last_error();
    const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (!at_end) {
        OpensslReason reason = take_openssl_reason();
        return Error{Errc::invalid, fmt::format("CRL {} cannot be read: {}", found.size() + 1, reason.what),
                     std::move(reason.hint)};
    }
    ERR_clear_error();
    if (found.empty() && pem.find("-----BEGIN X509 CRL") != pem.npos)
        return Error{Errc::invalid, "the CRL cannot be read: its PEM block is incomplete", "the file seems cut off"};
    if (found.empty())
        return Error{Errc::invalid, pem.empty() ? "the file is empty" : "no CRL in it",
                     "it must hold CRLs in PEM format"};
    return found;
}

Status add_crls(SSL_CTX* context, const Blob& file, std::vector<std::string>* warnings) {
    auto crls = read_crls(file.data);
    if (!crls) return std::move(crls).error().context(file.path);
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    for (const OwnedCrl& crl : *crls) {
        if (X509_STORE_add_crl(store, crl.get()) != 1)
            return Error{Errc::no_memory, fmt::format("{}: {}", file.path, take_openssl_error()), ""};
        const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl.get());
        if (warnings != nullptr && next != nullptr && unix_time_of(next) < clock::unix_seconds())
            warnings->push_back(
                fmt::format("{}: the CRL should have been renewed by {}: peers under it will be refused", file.path,
                            day_text(unix_time_of(next))));
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return {};
}

}  // namespace

int verify_mode(const Profile& p) {
    if (p.key.side == Side::client)
        return p.verify_certificate || p.require_certificate ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    if (p.require_certificate || p.verify_client == VerifyClient::on)
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    return p.verify_certificate || p.verify_client != VerifyClient::off ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
}

bool accepts_any_certificate(const Profile& p) {
    return p.key.side == Side::server && p.verify_client == VerifyClient::optional_no_ca && !p.verify_certificate &&
           !p.require_certificate;
}

Status use_trust(SSL_CTX* context, const Profile& p, std::vector<std::string>* warnings) {
    const int mode = verify_mode(p);
    const bool any = accepts_any_certificate(p);
    SSL_CTX_set_verify(context, mode, mode == SSL_VERIFY_NONE ? nullptr : any ? accept_any : explain);
    SSL_CTX_set_verify_depth(context, p.verify_depth);
    if (!p.ca_list.path.empty())
        if (Status added = add_certificates(context, p.ca_list, p.key.side == Side::server); !added) return added;
    if (!p.ca_path.path.empty())
        if (Status added = add_certificates(context, p.ca_path, false); !added) return added;
    if (!p.crl.path.empty())
        if (Status added = add_crls(context, p.crl, warnings); !added) return added;
    if (mode != SSL_VERIFY_NONE && !any && p.ca_list.path.empty() && p.ca_path.path.empty() && warnings != nullptr)
        warnings->push_back(p.key.side == Side::client
                                ? "verifies servers but has no ca_list: every outgoing TLS connection will fail"
                                : "verifies clients but has no ca_list: every client certificate will be refused");
    return {};
}

bool is_peer_verified(const SSL* ssl) {
    return SSL_get0_peer_certificate(ssl) != nullptr && SSL_get_verify_result(ssl) == X509_V_OK;
}

}  // namespace kahu::tls
