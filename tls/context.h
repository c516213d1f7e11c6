// tls/context.h -- SSL_CTX objects: built by each process for itself, from the generation, when first needed.
//
// WHY    A context holds an RSA key, which forked processes must not share (its blinding breaks), and building one
//        costs about 1 ms: so each process keeps its own, by content hash.  A reload makes a process build only what
//        changed, and only when a connection asks for it; nobody needs to be signalled, because every new connection
//        compares the generation's number.
// LIVES  The SSL_CTX in OpenSSL's memory (the segment in shared mode): an SSL keeps its context, so connections of an
//        old generation go on until they end.  Which contexts a process has is kept under its slot in the segment, so
//        that its successor frees them.  Facts hang off the SSL_CTX and die with it.
// LOCKS  None; the hazard pointer is held during each call.
// FAILS  nullptr and the reason in words: no profile fits, out of memory.  What could be wrong with the files was found
//        by the loader, with the same builder (build_context).
#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "mem/segment.h"
#include "tls/domain_select.h"
#include "tls/generation.h"

namespace kahu::tls {

// What others want to know of a context.  Read-only, valid as long as the SSL_CTX.
struct ContextFacts {
    static constexpr size_t kNameCapacity = 319;
    ContentHash hash;
    Side side;
    VerifyClient verify_client;
    bool verifies;                    // asks for the peer's certificate
    char profile[kNameCapacity + 1];  // "server:default", "server:any sni=example.com"
    char server_name[256];            // of a client profile: the SNI to send unless the caller has a better one
    char server_id[64];
};

// The context for a new connection: SSL_new() it at once.  Borrowed: SSL_new() takes its own reference.
SSL_CTX* context_for(const Wanted& wanted, std::string& why);

// SSL_set_SSL_CTX() and what it leaves behind: protocol versions and verification of the new context.  From the
// ClientHello callback, before OpenSSL chooses a version.  Nothing happens if the profile is the one it has already,
// though perhaps of another generation: a second ClientHello meets what the first one met.
void switch_context(SSL* ssl, SSL_CTX* context);

// Of SSL_get_SSL_CTX(ssl): after a switch on SNI it is the profile switched to.  nullptr: not one of ours.
const ContextFacts* facts_of(const SSL_CTX* context);

// Frees contexts that the current generation does not have any more.  Called by context_for() when the generation
// changed; an idle process should call it once a second.
void tidy_contexts();
// Frees what the predecessor in this slot had.  In process_start, after attach_slot().
void adopt_contexts();
// All of this process's: when it ends in order.
void drop_contexts();
// How many this process has now: for tests and tls.info.
int contexts_kept();

// --- the builder, for the loader
// -------------------------------------------------------------------------------------- Builds a context from a
// profile; the one place that turns a profile into OpenSSL calls.  The error names profile and file, OpenSSL's reason
// in words, and the usual remedy; warnings likewise, if wanted.
Result<SSL_CTX*> build_context(const Profile& profile, std::vector<std::string>* warnings = nullptr);

// ex_data indices and the table of contexts; before the first fork, once.
void prepare_contexts();
mem::Part context_part();

}  // namespace kahu::tls
