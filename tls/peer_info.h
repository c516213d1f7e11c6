// tls/peer_info.h -- what is known of an established TLS connection, for tls.list and $tls_* variables of any process.
//
// WHY    Only the owner may touch the SSL; others need its version, cipher, names and certificates.
// LIVES  One block (mem::Tag::openssl's heap) per connection, written once when it is established, published in
//        Connection::secure_info.  The own certificate is one block per context, shared by reference count.
// LOCKS  Readers copy under the process's hazard pointer.  REQUIRES: no other use of it meanwhile.
// FAILS  Without memory there is no information: the connection works all the same.
#pragma once
#include <openssl/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/net/connection.h"

namespace kahu::tls {

struct PeerInfo {
    std::string version;             // "TLSv1.3"
    std::string cipher;              // "TLS_AES_256_GCM_SHA384"
    std::string cipher_description;  // SSL_CIPHER_description(), one line, blanks collapsed
    int cipher_bits = 0;
    std::string server_name;  // SNI; "" if none
    std::string profile;      // facts_of()->profile
    long verify_result = 0;   // X509_V_OK ...
    bool verified = false;    // the peer sent a certificate and it was found valid
    bool resumed = false;
    bool as_server = true;
    int64_t established_unix = 0;
    std::string peer_certificate;  // DER; "" if none was sent, or if it is larger than kLargestCertificate
    std::string own_certificate;   // DER
};
inline constexpr size_t kLargestCertificate = 16 * 1024;

// Any process.  Empty: not established, not TLS, gone meanwhile, or no memory then.
std::optional<PeerInfo> peer_info(const net::Connection& connection);

// The owner.
void publish_peer_info(net::Connection& connection, SSL* ssl);
void release_peer_info(net::Connection& connection);

// Attaches the certificates of a context to them, while nobody else has it: by configure_context().
bool remember_own_certificates(SSL_CTX* context);

// ex_data index for the own certificate; before the first fork, by boot_openssl().
bool prepare_peer_info();

}  // namespace kahu::tls
