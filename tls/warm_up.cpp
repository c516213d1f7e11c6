#include "tls/warm_up.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "tls/channel.h"
#include "tls/lock_shim.h"
#include "tls/memory_handshake.h"
#include "tls/openssl_error.h"
#include "tls/session_cache.h"
#include "tls/throwaway_identity.h"

namespace kahu::tls {
namespace {

struct Case {
    int version;
    bool tickets, verify;
    std::string_view groups = {};   // empty: OpenSSL's default
    std::string_view ciphers = {};  // TLS 1.2 or 1.3 names
};

constexpr Case kEveryWay[] = {
    {TLS1_2_VERSION, true, false},  {TLS1_2_VERSION, true, true},  {TLS1_2_VERSION, false, false},
    {TLS1_2_VERSION, false, true},  {TLS1_3_VERSION, true, false}, {TLS1_3_VERSION, true, true},
    {TLS1_3_VERSION, false, false}, {TLS1_3_VERSION, false, true},
};
constexpr Case kOtherAlgorithms[] = {
    {TLS1_3_VERSION, true, false, "P-256", "TLS_AES_128_GCM_SHA256"},
    {TLS1_3_VERSION, true, false, "P-384", "TLS_CHACHA20_POLY1305_SHA256"},
    {TLS1_3_VERSION, true, false, "P-521", "TLS_AES_256_GCM_SHA384"},
    {TLS1_3_VERSION, true, false, "X448", "TLS_AES_256_GCM_SHA384"},
    {TLS1_3_VERSION, true, false, "ffdhe2048", "TLS_AES_256_GCM_SHA384"},
    {TLS1_2_VERSION, true, false, "P-256", "CHACHA20"},
    {TLS1_2_VERSION, true, false, "P-384:P-256", "AES128-SHA256:AES128-SHA:ECDHE+AES128"},
    {TLS1_2_VERSION, true, false, "X25519:P-256", "ECDHE+AES256:AES256-SHA"},
    {TLS1_2_VERSION, true, false, "", "AES256-GCM-SHA384:ECDHE+AESCCM"},
};

Error failed(std::string_view doing) {
    return {Errc::unsupported, std::string(doing) + ": " + take_openssl_error(), "is OpenSSL installed completely?"};
}

// Reads back what was written, as the loader of tls.cfg does.
Result<ThrowawayIdentity> reread(const ThrowawayIdentity& identity, OSSL_LIB_CTX* library) {
    const std::string key = pem_of(identity.key.get()), certificate = pem_of(identity.certificate.get());
    OwnedBio from_key(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
    OwnedBio from_certificate(BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
    ThrowawayIdentity read{
        OwnedKey(PEM_read_bio_PrivateKey_ex(from_key.get(), nullptr, nullptr, nullptr, library, nullptr)),
        OwnedCertificate(X509_new_ex(library, nullptr))};
    X509* into = read.certificate.get();
    if (!read.key || !into || !PEM_read_bio_X509(from_certificate.get(), &into, nullptr, nullptr))
        return failed("could not read back a key and certificate");
    return read;
}

class WarmUp {
  public:
    explicit WarmUp(OSSL_LIB_CTX* library) : library_(library) {}

    Status run(bool other_algorithms) {
        Result<ThrowawayIdentity> ca = make_identity(KeyKind::ec_p256, "warm-up CA", nullptr, library_);
        if (!ca) return std::move(ca).error();
        Result<OwnedCrl> crl = make_empty_crl(*ca);
        if (!crl) return std::move(crl).error();
        ca_ = std::move(*ca);
        crl_ = std::move(*crl);
        for (const KeyKind kind : {KeyKind::ec_p256, KeyKind::rsa_1024}) {
            Result<ThrowawayIdentity> made = make_identity(kind, "warm-up.invalid", &ca_, library_);
            if (!made) return std::move(made).error();
            Result<ThrowawayIdentity> read = reread(*made, library_);
            if (!read) return std::move(read).error();
            identity_ = std::move(*read);
            for (const Case& c : kEveryWay)
                if (Status done = handshakes(c); !done) return done;
            if (!other_algorithms) continue;
            for (const Case& c : kOtherAlgorithms)
                if (Status done = handshakes(c); !done) return done;
        }
        return {};
    }

  private:
    OwnedContext context(const Case& c, bool server) const {
        OwnedContext made(SSL_CTX_new_ex(library_, nullptr, server ? TLS_server_method() : TLS_client_method()));
        if (!made) return made;
        SSL_CTX* const ctx = made.get();
        SSL_CTX_set_min_proto_version(ctx, c.version);
        SSL_CTX_set_max_proto_version(ctx, c.version);
        SSL_CTX_set_security_level(ctx, 0);  // rsa_1024
        bool ready = SSL_CTX_use_certificate(ctx, identity_.certificate.get()) == 1 &&
                     SSL_CTX_use_PrivateKey(ctx, identity_.key.get()) == 1 && SSL_CTX_check_private_key(ctx) == 1;
        if (!c.groups.empty()) ready = ready && SSL_CTX_set1_groups_list(ctx, std::string(c.groups).c_str()) == 1;
        if (!c.ciphers.empty()) {
            const std::string names(c.ciphers);
            ready = ready && (c.version == TLS1_3_VERSION ? SSL_CTX_set_ciphersuites(ctx, names.c_str())
                                                          : SSL_CTX_set_cipher_list(ctx, names.c_str())) == 1;
        }
        if (c.verify) {
            X509_STORE* store = SSL_CTX_get_cert_store(ctx);
            ready = ready && X509_STORE_add_cert(store, ca_.certificate.get()) == 1 &&
                    X509_STORE_add_crl(store, crl_.get()) == 1 &&
                    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;
            SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
        ready = ready && configure_context(ctx, server, "warm-up");
        if (!c.tickets) SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        if (!ready) made.reset();
        return made;
    }

    Status handshakes(const Case& c) const {
        const OwnedContext server = context(c, true), client = context(c, false);
        if (!server || !client) return failed("could not make a TLS context");
        MemoryPair first(server.get(), client.get());
        if (Status done = first.connect(); !done) return std::move(done).error().context("first handshake");
        const OwnedSession session = first.session();
        first.close();
        MemoryPair second(server.get(), client.get(), session.get());
        if (Status done = second.connect(); !done) return std::move(done).error().context("resumed handshake");
        return {};
    }

    OSSL_LIB_CTX* library_;
    ThrowawayIdentity ca_, identity_;
    OwnedCrl crl_;
};

// Keys of thread-locals are remembered in the generators: they must be made before the fork.
Status warm_random() {
    unsigned char bytes[32];
    if (RAND_bytes(bytes, sizeof bytes) != 1 || RAND_priv_bytes(bytes, sizeof bytes) != 1)
        return failed("could not get random bytes");
    if (!RAND_get0_primary(nullptr) || !RAND_get0_public(nullptr) || !RAND_get0_private(nullptr))
        return failed("could not make OpenSSL's own random generators");
    return {};
}

// An alert and an error text: both are made from tables at first use.
void warm_errors() {
    OwnedBio bio(BIO_new_mem_buf("no PEM", -1));
    OwnedCertificate none(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    take_openssl_error();
}

}  // namespace

Status warm_up_openssl() {
    if (Status done = warm_random(); !done) return done;
    warm_errors();
    if (Status done = WarmUp(nullptr).run(true); !done) return std::move(done).error().context("warm-up");
    const OwnedLibraryContext other(OSSL_LIB_CTX_new());
    if (!other) return failed("could not make a library context");
    enter_lock_phase(LockPhase::routine);
    if (Status done = WarmUp(other.get()).run(true); !done) return std::move(done).error().context("warm-up");
    clear_session_cache();
    ERR_clear_error();
    return {};
}

}  // namespace kahu::tls
