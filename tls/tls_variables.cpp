// What is known of the TLS connection that a message came over.  All of it is null for other messages.
#include "tls/tls_variables.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <deque>
#include <vector>

#include "core/base/text.h"
#include "core/net/connection_table.h"
#include "core/script/run.h"
#include "core/script/text_codecs.h"
#include "core/script/variable.h"
#include "tls/certificate_text.h"
#include "tls/credentials.h"
#include "tls/identity.h"
#include "tls/peer_info.h"

namespace kahu::tls {
namespace {

using script::Run;
using script::Value;
using Use = script::VariableUse;

std::optional<PeerInfo> info_of(Run& run) {
    if (run.inbound().transport != Transport::tls) return std::nullopt;
    const net::Connection* const connection = net::find_connection(run.inbound().connection);
    return connection == nullptr ? std::nullopt : peer_info(*connection);
}
Value text_value(Run& run, std::string_view text) {
    return text.empty() ? Value::none() : Value::of(run.arena().copy(text));
}

template <Value (*part)(Run&, const PeerInfo&)>
Value of_connection(Run& run, const Use&) {
    const auto info = info_of(run);
    return info ? part(run, *info) : Value::none();
}
template <std::string PeerInfo::*member>
Value text_of(Run& run, const PeerInfo& info) {
    return text_value(run, info.*member);
}
Value cipher_bits(Run&, const PeerInfo& info) { return Value::of(int64_t{info.cipher_bits}); }
Value verified(Run&, const PeerInfo& info) { return Value::of(int64_t{info.verified}); }
template <long error>
Value failed_with(Run&, const PeerInfo& info) {
    return Value::of(int64_t{info.verify_result == error});
}

// --- certificates ----------------------------------------------------------------------------------------
using CertificatePart = Value (*)(Run&, const Use&, X509*);

template <std::string PeerInfo::*whose, CertificatePart part>
Value of_certificate(Run& run, const Use& use) {
    const auto info = info_of(run);
    if (!info || ((*info).*whose).empty()) return Value::none();
    const std::string& der = (*info).*whose;
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const OwnedCertificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    return certificate == nullptr ? Value::none() : part(run, use, certificate.get());
}

Value memory_text(Run& run, BIO* bio) {
    char* data = nullptr;
    const long bytes = BIO_get_mem_data(bio, &data);
    return bytes <= 0 ? Value::none() : text_value(run, {data, static_cast<size_t>(bytes)});
}
template <X509_NAME* (*name)(const X509*)>
Value whole_name(Run& run, const Use&, X509* certificate) {
    char text[1024];
    return X509_NAME_oneline(name(certificate), text, sizeof text) == nullptr ? Value::none() : text_value(run, text);
}
template <X509_NAME* (*name)(const X509*), int nid>
Value name_part(Run& run, const Use&, X509* certificate) {
    X509_NAME* const all = name(certificate);
    const int at = X509_NAME_get_index_by_NID(all, nid, -1);
    if (at < 0) return Value::none();
    unsigned char* text = nullptr;
    const int bytes = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(all, at)));
    if (bytes < 0) return Value::none();
    const Value value = text_value(run, {reinterpret_cast<const char*>(text), static_cast<size_t>(bytes)});
    OPENSSL_free(text);
    return value;
}
Value version(Run&, const Use&, X509* certificate) { return Value::of(int64_t{X509_get_version(certificate)}); }
Value serial(Run& run, const Use&, X509* certificate) {
    BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
    char* const text = number == nullptr ? nullptr : BN_bn2dec(number);
    const Value value = text == nullptr ? Value::none() : text_value(run, text);
    OPENSSL_free(text);
    BN_free(number);
    return value;
}
template <const ASN1_TIME* (*when)(const X509*)>
Value moment(Run& run, const Use&, X509* certificate) {
    const OwnedBio bio(BIO_new(BIO_s_mem()));
    return bio && ASN1_TIME_print(bio.get(), when(certificate)) == 1 ? memory_text(run, bio.get()) : Value::none();
}
Value pem(Run& run, const Use&, X509* certificate) {
    const OwnedBio bio(BIO_new(BIO_s_mem()));
    return bio && PEM_write_bio_X509(bio.get(), certificate) == 1 ? memory_text(run, bio.get()) : Value::none();
}
Value url_encoded(Run& run, const Use& use, X509* certificate) {
    const Value text = pem(run, use, certificate);
    return text.is_null() ? text : Value::of(script::escape_form(text.text, run.arena()));
}

// The n-th alternative name of a kind.
std::vector<std::string> names_of_kind(const X509* certificate, int kind) {
    std::vector<std::string> found;
    const OwnedNames names = alternative_names(certificate);
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int type = 0;
        std::string text = tls::text_of(sk_GENERAL_NAME_value(names.get(), i), type);
        if (type == kind) found.push_back(std::move(text));
    }
    return found;
}
template <int kind>
Value alternative_name(Run& run, const Use& use, X509* certificate) {
    const auto names = names_of_kind(certificate, kind);
    const size_t at = use.position(run, names.size());
    return at == Use::npos ? Value::none() : text_value(run, names[at]);
}
struct Kind {
    std::string_view name;
    int type;
};
constexpr Kind kKinds[] = {
    {"email", GEN_EMAIL}, {"hostname", GEN_DNS}, {"dns", GEN_DNS}, {"uri", GEN_URI}, {"ip", GEN_IPADD}};
Status prepare_kind(Use& use) {
    for (const Kind& kind : kKinds)
        if (kind.name == use.inner) {
            use.number = kind.type;
            return {};
        }
    return Error{Errc::invalid, fmt::format("\"{}\" is no kind of alternative names", use.inner),
                 "email, hostname, uri or ip"};
}
Value count_names(Run&, const Use& use, X509* certificate) {
    return Value::of(static_cast<int64_t>(names_of_kind(certificate, static_cast<int>(use.number)).size()));
}

// $tls(m_issuer_line), $tls(p_subject_line) ...: names as RFC 2253 writes them.
struct Line {
    std::string_view name;
    bool peer, issuer;
};
constexpr Line kLines[] = {{"m_issuer_line", false, true},
                           {"p_issuer_line", true, true},
                           {"m_subject_line", false, false},
                           {"p_subject_line", true, false}};
Status prepare_line(Use& use) {
    for (size_t i = 0; i < std::size(kLines); ++i)
        if (kLines[i].name == use.inner) {
            use.number = static_cast<int64_t>(i);
            return {};
        }
    return Error{Errc::invalid, fmt::format("$tls({}) is not known", use.inner),
                 "m_issuer_line, p_issuer_line, m_subject_line or p_subject_line"};
}
Value line_of(Run& run, const Use& use, X509* certificate) {
    const OwnedBio bio(BIO_new(BIO_s_mem()));
    const X509_NAME* const name =
        kLines[use.number].issuer ? X509_get_issuer_name(certificate) : X509_get_subject_name(certificate);
    const bool written = bio && X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) >= 0;
    return written ? memory_text(run, bio.get()) : Value::none();
}
Value name_line(Run& run, const Use& use) {
    return kLines[use.number].peer ? of_certificate<&PeerInfo::peer_certificate, line_of>(run, use)
                                   : of_certificate<&PeerInfo::own_certificate, line_of>(run, use);
}

constexpr Variable kOfConnection[] = {
    {"tls_version", "Protocol version of the connection: TLSv1.3.", of_connection<text_of<&PeerInfo::version>>},
    {"tls_description", "The connection's cipher with its parts.",
     of_connection<text_of<&PeerInfo::cipher_description>>},
    {"tls_cipher_info", "Name of the connection's cipher.", of_connection<text_of<&PeerInfo::cipher>>},
    {"tls_cipher_bits", "Strength of the connection's cipher.", of_connection<cipher_bits>},
    {"tls_peer_server_name", "Server name (SNI) the client asked for.", of_connection<text_of<&PeerInfo::server_name>>},
    {"tls_peer_verified", "1 if the peer sent a certificate and it was found valid, else 0.", of_connection<verified>},
    {"tls_peer_revoked", "1 if the peer's certificate was revoked, else 0.",
     of_connection<failed_with<X509_V_ERR_CERT_REVOKED>>},
    {"tls_peer_expired", "1 if the peer's certificate had expired, else 0.",
     of_connection<failed_with<X509_V_ERR_CERT_HAS_EXPIRED>>},
    {"tls_peer_selfsigned", "1 if the peer's certificate was signed by itself, else 0.",
     of_connection<failed_with<X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT>>},
    {"tls", "Names of a certificate in one line: m_subject_line, m_issuer_line, p_subject_line, p_issuer_line.",
     name_line, nullptr, prepare_line},
};

// Of the peer's certificate and of our own.
struct Row {
    std::string_view name, help;
    Value (*peer)(Run&, const Use&);
    Value (*own)(Run&, const Use&);
    Status (*prepare)(Use&) = nullptr;
};
template <CertificatePart part>
constexpr Row row(std::string_view name, std::string_view help, Status (*prepare)(Use&) = nullptr) {
    return {name, help, of_certificate<&PeerInfo::peer_certificate, part>,
            of_certificate<&PeerInfo::own_certificate, part>, prepare};
}
X509_NAME* subject_of(const X509* certificate) { return X509_get_subject_name(certificate); }
X509_NAME* issuer_of(const X509* certificate) { return X509_get_issuer_name(certificate); }
constexpr Row kOfCertificates[] = {
    row<whole_name<subject_of>>("subject", "Subject."),
    row<name_part<subject_of, NID_commonName>>("subject_cn", "Common name of the subject."),
    row<name_part<subject_of, NID_localityName>>("subject_locality", "Locality of the subject."),
    row<name_part<subject_of, NID_countryName>>("subject_country", "Country of the subject."),
    row<name_part<subject_of, NID_stateOrProvinceName>>("subject_state", "State of the subject."),
    row<name_part<subject_of, NID_organizationName>>("subject_organization", "Organization of the subject."),
    row<name_part<subject_of, NID_organizationalUnitName>>("subject_unit", "Unit of the subject."),
    row<name_part<subject_of, NID_userId>>("subject_uid", "User id of the subject."),
    row<whole_name<issuer_of>>("issuer", "Issuer."),
    row<name_part<issuer_of, NID_commonName>>("issuer_cn", "Common name of the issuer."),
    row<name_part<issuer_of, NID_localityName>>("issuer_locality", "Locality of the issuer."),
    row<name_part<issuer_of, NID_countryName>>("issuer_country", "Country of the issuer."),
    row<name_part<issuer_of, NID_stateOrProvinceName>>("issuer_state", "State of the issuer."),
    row<name_part<issuer_of, NID_organizationName>>("issuer_organization", "Organization of the issuer."),
    row<name_part<issuer_of, NID_organizationalUnitName>>("issuer_unit", "Unit of the issuer."),
    row<version>("version", "Version: 2 for X.509v3."),
    row<serial>("serial", "Serial number."),
    row<moment<X509_get0_notBefore>>("notBefore", "Beginning of its validity."),
    row<moment<X509_get0_notAfter>>("notAfter", "End of its validity."),
    row<alternative_name<GEN_EMAIL>>("san_email", "An alternative name that is a mail address; [n] picks it."),
    row<alternative_name<GEN_DNS>>("san_hostname", "An alternative name that is a host name; [n] picks it."),
    row<alternative_name<GEN_URI>>("san_uri", "An alternative name that is a URI; [n] picks it."),
    row<alternative_name<GEN_IPADD>>("san_ip", "An alternative name that is an address; [n] picks it."),
    row<count_names>("san_count", "How many alternative names of a kind there are.", prepare_kind),
    row<pem>("raw_cert", "The certificate in PEM format."),
    row<url_encoded>("urlencoded_cert", "The same, encoded for a URL."),
};

}  // namespace

std::span<const Variable> tls_variables() {
    static std::deque<std::string> texts;  // names and helps of the rows
    static const std::vector<Variable> all = [] {
        std::vector<Variable> rows(std::begin(kOfConnection), std::end(kOfConnection));
        for (const Row& each : kOfCertificates) {
            const std::string& peer = texts.emplace_back(fmt::format("tls_peer_{}", each.name));
            const std::string& peer_help = texts.emplace_back(fmt::format("Of the peer's certificate: {}", each.help));
            rows.push_back({peer, peer_help, each.peer, nullptr, each.prepare});
            const std::string& own = texts.emplace_back(fmt::format("tls_my_{}", each.name));
            const std::string& own_help = texts.emplace_back(fmt::format("Of our certificate: {}", each.help));
            rows.push_back({own, own_help, each.own, nullptr, each.prepare});
        }
        return rows;
    }();
    return all;
}

}  // namespace kahu::tls
