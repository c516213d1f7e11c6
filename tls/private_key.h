// tls/private_key.h -- each incarnation of a process signs with RSA keys of its own.
//
// WHY    RSA blinding is state inside the key.  Forked processes that sign with one key object make bad signatures
//        (1439 of 1500), and a process killed in mid-update spoils it for good.  Contexts are per process, but an SSL
//        that began under a process now dead still refers to that process's context and key.
// LIVES  Who built a context signs with the context's own key.  Duplicates for others hang off the SSL_CTX, one per
//        slot, in OpenSSL's memory, and die with it.  A key of a dead incarnation may be half-written: it is left
//        alone (about 15 KB per RSA key and death).
// LOCKS  None: a slot's duplicate is touched by that slot only.
// FAILS  use_own_key() 0: out of memory; the handshake fails with an internal error.
#pragma once
#include <openssl/types.h>

#include <cstdint>

namespace kahu::tls {

// ex_data index; before the first fork, by boot_openssl().
bool prepare_private_keys();

// This incarnation has made the context and its keys, and nobody else signs with them.  By configure_context().
bool own_the_keys_of(SSL_CTX* context);

// SSL_CTX_set_cert_cb() of every context (configure_context() sets it): replaces the RSA keys of this SSL by
// duplicates.
int use_own_key(SSL* ssl, void* unused);

// Before a context of a dead process is freed: its RSA keys are not, because the process may have died inside one.
void leave_keys_to_the_dead(SSL_CTX* context);

// Of a key that is used without an SSL_CTX.  Owned by the caller.
EVP_PKEY* duplicate_key(EVP_PKEY* key);

}  // namespace kahu::tls
