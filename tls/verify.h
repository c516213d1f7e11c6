// tls/verify.h -- checking the peer's certificate: whom we trust, how strictly, and what came of it.
//
// WHY    verify_certificate, require_certificate, verify_client, ca_list, ca_path, crl and verify_depth of a profile
//        become one verification mode and one certificate store.
// LIVES  In the SSL_CTX.  The callback's address is the same in every process and it has no state.
// FAILS  use_trust(): with the file's name and the reason in words.
#pragma once
#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "core/base/result.h"
#include "tls/generation.h"

namespace kahu::tls {

// SSL_VERIFY_* for a profile.
int verify_mode(const Profile& profile);
// Accepts whatever the peer sends; the result is only recorded.
bool accepts_any_certificate(const Profile& profile);

Status use_trust(SSL_CTX* context, const Profile& profile, std::vector<std::string>* warnings);

// The peer sent a certificate and it passed.  Never true for one that only optional_no_ca let in.
bool is_peer_verified(const SSL* ssl);

}  // namespace kahu::tls
