#include "tls/identity.h"

#include "core/base/address.h"
#include "core/base/text.h"
#include "core/sip/uri.h"

namespace kahu::tls {
namespace {

std::string_view text_of(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<size_t>(ASN1_STRING_length(string))};
}

// "sip:example.com" names a domain, "sip:alice@example.com" a user.
std::string domain_of(std::string_view uri_text) {
    sip::Uri uri;
    sip::Bad bad;
    if (!sip::parse_uri(uri_text, uri, bad) || uri.scheme != sip::Scheme::sip || uri.has_user) return {};
    return std::string(uri.bare_host());
}

std::string common_name(X509* certificate) {
    const X509_NAME* const subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return {};
    const std::string_view name = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    return name.find('\0') == name.npos ? std::string(name) : std::string();
}

bool names_address(X509* certificate, const SocketAddress& address) {
    const OwnedNames names = alternative_names(certificate);
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_IPADD) continue;
        const std::string_view octets = text_of(name->d.iPAddress);
        const auto* raw = address.raw();
        const void* const own = address.is_v6()
                                    ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(raw)->sin6_addr)
                                    : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(raw)->sin_addr);
        const size_t size = address.is_v6() ? 16 : 4;
        if (octets == std::string_view(static_cast<const char*>(own), size)) return true;
    }
    return false;
}

std::string_view without_final_dot(std::string_view host) {
    if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
    return host;
}

}  // namespace

OwnedNames alternative_names(const X509* certificate) {
    return OwnedNames(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::vector<std::string> sip_identities(X509* certificate) {
    const OwnedNames names = alternative_names(certificate);
    std::vector<std::string> domains, dns;
    if (names == nullptr) {
        if (std::string name = common_name(certificate); !name.empty()) domains.push_back(std::move(name));
        return domains;
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_URI && name->type != GEN_DNS) continue;
        const std::string_view value = text_of(name->d.ia5);
        if (value.find('\0') != value.npos) continue;
        if (name->type == GEN_DNS) dns.emplace_back(value);
        else if (std::string domain = domain_of(value); !domain.empty()) domains.push_back(std::move(domain));
    }
    return domains.empty() ? dns : domains;
}

bool names_host(X509* certificate, std::string_view host) {
    if (const auto ip = SocketAddress::parse_ip(host); ip && names_address(certificate, *ip)) return true;
    for (const std::string& identity : sip_identities(certificate))
        if (text::iequals(without_final_dot(identity), without_final_dot(host))) return true;
    return false;
}

}  // namespace kahu::tls
