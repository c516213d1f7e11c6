// tls/certificate_text.h -- what people want to see of a certificate.
#pragma once
#include <openssl/x509v3.h>

#include <cstdint>
#include <string>

namespace kahu::tls {

// Printable, bounded: certificates may be somebody else's.
struct CertificateText {
    std::string subject, issuer;        // RFC 2253: "CN=sip.example.com,O=Example"
    std::string alternative_names;      // "sip.example.com, *.example.com, 10.0.0.1, sip:example.com"
    std::string serial;                 // hexadecimal
    std::string key;                    // "RSA 2048", "EC prime256v1"
    std::string not_before, not_after;  // "2026-11-20 12:00:00", UTC
    int64_t days_left = 0;              // negative: expired
};
CertificateText describe(const X509* certificate);
// Of an alternative name; "" unless its type is GEN_DNS, GEN_URI, GEN_EMAIL or GEN_IPADD.
std::string text_of(const GENERAL_NAME* name, int& type);

}  // namespace kahu::tls
