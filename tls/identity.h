// tls/identity.h -- whom a certificate names, as RFC 5922 reads it.
//
// RULES  7.1: SIP URIs without a user in subjectAltName; DNS names only if there are no such URIs; the common name only
//        if there is no subjectAltName at all.  7.2: compared whole, letters in either case; a wildcard is no match.
//        An address literal is compared with the address entries of subjectAltName.
// LIVES  No state.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl_ptr.h"

namespace kahu::tls {

OwnedNames alternative_names(const X509* certificate);  // null: it has none
std::vector<std::string> sip_identities(X509* certificate);
bool names_host(X509* certificate, std::string_view host);

}  // namespace kahu::tls
