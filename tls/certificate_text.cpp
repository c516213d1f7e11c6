#include "tls/certificate_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "tls/credentials.h"
#include "tls/identity.h"

namespace kahu::tls {
namespace {

constexpr size_t kMaxText = 1024;

std::string name_text(const X509_NAME* name) {
    const OwnedBio bio(BIO_new(BIO_s_mem()));
    if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return "";
    char* data = nullptr;
    const long bytes = BIO_get_mem_data(bio.get(), &data);
    return text::printable({data, static_cast<size_t>(bytes)}, kMaxText);
}

std::string names_of(const X509* certificate) {
    const OwnedNames names = alternative_names(certificate);
    std::string all;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && all.size() < kMaxText; ++i) {
        int type = 0;
        const std::string one = text_of(sk_GENERAL_NAME_value(names.get(), i), type);
        if (!one.empty()) all.append(all.empty() ? "" : ", ").append(one);
    }
    return all;
}

std::string serial_of(const X509* certificate) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
    return text::hex({ASN1_STRING_get0_data(serial), static_cast<size_t>(std::min(ASN1_STRING_length(serial), 64))});
}

std::string key_of(const X509* certificate) {
    EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr) return "unknown";
    char group[64] = "";
    size_t bytes = 0;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, &bytes) == 1)
        return fmt::format("EC {}", group);
    const char* type = EVP_PKEY_get0_type_name(key);
    return fmt::format("{} {}", type != nullptr ? type : "key", EVP_PKEY_get_bits(key));
}

std::string moment(const ASN1_TIME* time) {
    const int64_t at = unix_time_of(time);
    return fmt::format("{} {:02}:{:02}:{:02}", day_text(at), at / 3600 % 24, at / 60 % 60, at % 60);
}

}  // namespace

std::string text_of(const GENERAL_NAME* name, int& type) {
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
    if (type != GEN_DNS && type != GEN_URI && type != GEN_EMAIL && type != GEN_IPADD) return "";
    const unsigned char* data = ASN1_STRING_get0_data(value);
    const int bytes = ASN1_STRING_length(value);
    if (type != GEN_IPADD) return text::printable({reinterpret_cast<const char*>(data), static_cast<size_t>(bytes)});
    char ip[INET6_ADDRSTRLEN] = "";
    if (bytes != 4 && bytes != 16) return "";
    inet_ntop(bytes == 4 ? AF_INET : AF_INET6, data, ip, sizeof ip);
    return ip;
}

CertificateText describe(const X509* certificate) {
    CertificateText text;
    text.subject = name_text(X509_get_subject_name(certificate));
    text.issuer = name_text(X509_get_issuer_name(certificate));
    text.alternative_names = names_of(certificate);
    text.serial = serial_of(certificate);
    text.key = key_of(certificate);
    text.not_before = moment(X509_get0_notBefore(certificate));
    text.not_after = moment(X509_get0_notAfter(certificate));
    const int64_t left = unix_time_of(X509_get0_notAfter(certificate)) - clock::unix_seconds();
    text.days_left = left < 0 ? (left - 86399) / 86400 : left / 86400;
    return text;
}

}  // namespace kahu::tls
