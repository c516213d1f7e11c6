#include "tls/credentials.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include <cstring>

#include "core/base/clock.h"
#include "tls/loader.h"
#include "tls/openssl_error.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

constexpr size_t kMaxCertificates = 4096;  // in one file
constexpr int64_t kDay = 86400;

Error openssl_failure(std::string_view doing) {
    OpensslReason reason = take_openssl_reason();
    return {Errc::invalid, doing.empty() ? reason.what : fmt::format("{}: {}", doing, reason.what),
            std::move(reason.hint)};
}

// PEM_read_bio_* at the end of the text says "no start line", which is not an error then.
bool is_end_of_pem() {
    const unsigned long last = ERR_peek_last_error();
    return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

struct PasswordRequest {
    std::string_view password;
    bool asked = false;
};
int give_password(char* into, int room, int, void* argument) {
    auto& request = *static_cast<PasswordRequest*>(argument);
    request.asked = true;
    if (request.password.empty() || request.password.size() > static_cast<size_t>(room)) return -1;
    std::memcpy(into, request.password.data(), request.password.size());
    return static_cast<int>(request.password.size());
}

// SSL_CTX_use_certificate() and its like check the key against the security level.
constexpr int kBitsOfLevel[] = {0, 1024, 2048, 3072, 7680, 15360};

Error too_small(SSL_CTX* context, X509* certificate, Error error) {
    if (error.what.find("key too small") == error.what.npos) return error;
    const int level = std::clamp(SSL_CTX_get_security_level(context), 0, 5);
    EVP_PKEY* key = X509_get0_pubkey(certificate);
    error.what = fmt::format("key too small for security level {} ({} bits)", level,
                             key != nullptr ? EVP_PKEY_get_bits(key) : 0);
    error.hint = fmt::format("use {} or more, or set cipher_list DEFAULT@SECLEVEL={}", kBitsOfLevel[level],
                             level > 1 ? level - 1 : 0);
    return error;
}

// `otherwise` is what to say if they are not; it changes when memory ran out while they were compared.
bool are_a_pair(X509* certificate, EVP_PKEY* key, Error& otherwise) {
    if (X509_check_private_key(certificate, key) == 1) return true;
    OpensslReason reason = take_openssl_reason();
    if (reason.what == "out of memory") otherwise = {Errc::no_memory, std::move(reason.what), std::move(reason.hint)};
    return false;
}

Status use_chain(SSL_CTX* context, std::vector<OwnedCertificate>& chain) {
    if (X509_get0_pubkey(chain[0].get()) == nullptr) return openssl_failure("the public key cannot be read");
    if (SSL_CTX_use_certificate(context, chain[0].get()) != 1)
        return too_small(context, chain[0].get(), openssl_failure(""));
    for (size_t i = 1; i < chain.size(); ++i) {
        if (SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1) continue;
        return openssl_failure(fmt::format("certificate {} of the chain cannot be used", i + 1));
    }
    return {};
}

}  // namespace

OSSL_LIB_CTX* library_context() { return openssl_booted() ? slot_libctx() : nullptr; }

Result<std::vector<OwnedCertificate>> read_certificates(std::string_view pem) {
    ERR_clear_error();
    OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return openssl_failure("");
    std::vector<OwnedCertificate> found;
    for (;;) {
        OwnedCertificate certificate(X509_new_ex(library_context(), nullptr));
        X509* into = certificate.get();
        if (into == nullptr) return openssl_failure("");
        if (PEM_read_bio_X509_AUX(bio.get(), &into, nullptr, nullptr) == nullptr) {
            // On failure the object handed in has been freed if it was begun with.
            if (into == nullptr) (void)certificate.release();
            break;
        }
        found.push_back(std::move(certificate));
        if (found.size() > kMaxCertificates)
            return Error{Errc::invalid, fmt::format("more than {} certificates", kMaxCertificates), ""};
    }
    if (!is_end_of_pem()) return openssl_failure(fmt::format("certificate {} cannot be read", found.size() + 1));
    if (found.empty() && pem.find("-----BEGIN CERTIFICATE") != pem.npos) {
        ERR_clear_error();
        return Error{Errc::invalid, "the certificate cannot be read: its PEM block is incomplete",
                     "the file seems cut off"};
    }
    if (found.empty()) {
        ERR_clear_error();
        return Error{Errc::invalid, pem.empty() ? "the file is empty" : "no certificate in it",
                     "it must hold certificates in PEM format"};
    }
    ERR_clear_error();
    return found;
}

Result<OwnedKey> read_private_key(std::string_view pem, std::string_view password) {
    ERR_clear_error();
    OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return openssl_failure("");
    PasswordRequest request{password};
    OwnedKey key(PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, give_password, &request, library_context(), nullptr));
    if (key) {
        ERR_clear_error();
        return key;
    }
    OpensslReason reason = take_openssl_reason();
    if (request.asked && password.empty())
        return Error{Errc::invalid, "the private key is encrypted and no password is given",
                     "set private_key_password"};
    if (request.asked)
        return Error{Errc::invalid, "the password does not open the private key", "check private_key_password"};
    if (pem.find("PRIVATE KEY-----") == pem.npos)
        return Error{Errc::invalid, pem.empty() ? "the file is empty" : "no private key in it",
                     "it must hold a private key in PEM format"};
    return Error{Errc::invalid, "the private key cannot be read: " + reason.what, "the file seems damaged or cut off"};
}

Status use_credentials(SSL_CTX* context, const Blob& certificate, const Blob& private_key, std::string_view password,
                       std::vector<std::string>* warnings) {
    auto chain = read_certificates(certificate.data);
    if (!chain) return std::move(chain).error().context(certificate.path);
    if (Status used = use_chain(context, *chain); !used) return std::move(used).error().context(certificate.path);
    auto key = read_private_key(private_key.data, password);
    if (!key) return std::move(key).error().context(private_key.path);
    Error unpaired{Errc::invalid,
                   fmt::format("the private key does not belong to the certificate {}", certificate.path),
                   "were both files replaced at the last renewal?"};
    if (!are_a_pair((*chain)[0].get(), key->get(), unpaired)) return std::move(unpaired).context(private_key.path);
    if (SSL_CTX_use_PrivateKey(context, key->get()) != 1) return openssl_failure(private_key.path);
    if (const std::string remark = date_remark((*chain)[0].get(), clock::unix_seconds());
        warnings != nullptr && !remark.empty())
        warnings->push_back(fmt::format("{}: the certificate {}", certificate.path, remark));
    return {};
}

int64_t unix_time_of(const ASN1_TIME* time) {
    tm broken_down{};
    return time != nullptr && ASN1_TIME_to_tm(time, &broken_down) == 1 ? timegm(&broken_down) : 0;
}

std::string day_text(int64_t unix_seconds) {
    const time_t when = unix_seconds;
    tm utc{};
    gmtime_r(&when, &utc);
    return fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

std::string date_remark(const X509* certificate, int64_t now) {
    const int64_t from = unix_time_of(X509_get0_notBefore(certificate));
    const int64_t until = unix_time_of(X509_get0_notAfter(certificate));
    if (now > until) return fmt::format("expired on {} ({} days ago)", day_text(until), (now - until) / kDay);
    if (now < from) return fmt::format("is not valid before {}", day_text(from));
    if (until - now < kExpiryWarningDays * kDay)
        return fmt::format("expires on {} (in {} days)", day_text(until), (until - now) / kDay);
    return "";
}

}  // namespace kahu::tls
