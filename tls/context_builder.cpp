// build_context(): from a profile to an SSL_CTX.
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "core/base/text.h"
#include "tls/channel.h"
#include "tls/cipher_list.h"
#include "tls/context.h"
#include "tls/credentials.h"
#include "tls/openssl_error.h"
#include "tls/settings.h"
#include "tls/shared_openssl.h"
#include "tls/verify.h"

namespace kahu::tls {
namespace {

int g_facts_index = -1;

void free_facts(void*, void* facts, CRYPTO_EX_DATA*, int, long, void*) { OPENSSL_free(facts); }

void copy_text(char* into, size_t capacity, std::string_view from) {
    const size_t bytes = std::min(capacity - 1, from.size());
    std::copy_n(from.begin(), bytes, into);
    into[bytes] = '\0';
}

Status attach_facts(SSL_CTX* context, const Profile& p) {
    auto* facts = static_cast<ContextFacts*>(OPENSSL_zalloc(sizeof(ContextFacts)));
    if (facts == nullptr || SSL_CTX_set_ex_data(context, g_facts_index, facts) != 1) {
        OPENSSL_free(facts);
        return Error{Errc::no_memory, "out of memory", "start with a larger -m"};
    }
    facts->hash = p.hash;
    facts->side = p.key.side;
    facts->verify_client = p.verify_client;
    facts->verifies = verify_mode(p) != SSL_VERIFY_NONE;
    copy_text(facts->profile, sizeof facts->profile, p.name);
    copy_text(facts->server_name, sizeof facts->server_name, p.key.server_name);
    copy_text(facts->server_id, sizeof facts->server_id, p.key.server_id);
    return {};
}

Status use_versions(SSL_CTX* context, const Profile& p, std::vector<std::string>* warnings) {
    const MethodInfo& info = info_of(p.method);
    if (SSL_CTX_set_min_proto_version(context, info.lowest) != 1 ||
        SSL_CTX_set_max_proto_version(context, info.highest) != 1)
        return Error{Errc::unsupported, fmt::format("method {}: {}", info.name, take_openssl_error()), ""};
    if (info.obsolete && SSL_CTX_get_security_level(context) > 0 && warnings != nullptr)
        warnings->push_back(
            fmt::format("method {}: versions below TLS 1.2 also need cipher_list = DEFAULT@SECLEVEL=0", info.name));
    return {};
}

std::string digest_of(std::string_view content) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest);
    return text::hex(digest);
}

// What must be equal for a session to be resumed: not the certificate, so that sessions outlive its renewal.
std::string session_policy(const Profile& p) {
    return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", session_id.get(), p.name, verify_mode(p), accepts_any_certificate(p),
                       p.verify_depth, digest_of(p.ca_list.data), digest_of(p.ca_path.data), digest_of(p.crl.data));
}

Status use_own_certificates(SSL_CTX* context, const Profile& p, std::vector<std::string>* warnings) {
    if (p.certificate.path.empty()) {
        if (p.key.side == Side::client) return {};
        return Error{Errc::invalid, "no certificate is given", "set certificate and private_key"};
    }
    if (Status used = use_credentials(context, p.certificate, p.private_key, p.private_key_password, warnings); !used)
        return used;
    if (p.certificate2.path.empty()) return {};
    const int type = EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(context));
    if (Status used = use_credentials(context, p.certificate2, p.private_key2, p.private_key_password2, warnings);
        !used)
        return used;
    if (EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(context)) != type) return {};
    return Error{Errc::invalid,
                 fmt::format("{}: certificate2 has a key of the same type as certificate, and would replace it",
                             p.certificate2.path),
                 "one of them must be RSA and the other EC"};
}

Status fill(SSL_CTX* context, const Profile& p, std::vector<std::string>* warnings) {
    // The cipher list first: it sets the security level that versions, certificates and CAs are measured by.
    if (Status used = use_ciphers(context, p.cipher_list, warnings); !used) return used;
    if (Status used = use_versions(context, p, warnings); !used) return used;
    if (ssl_max_send_fragment > 0 && SSL_CTX_set_max_send_fragment(context, ssl_max_send_fragment.get()) != 1)
        return Error{Errc::invalid,
                     fmt::format("ssl_max_send_fragment {} is not possible", ssl_max_send_fragment.get()),
                     "expected 512 to 16384"};
    if (Status used = use_own_certificates(context, p, warnings); !used) return used;
    if (Status used = use_trust(context, p, warnings); !used) return used;
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (Status attached = attach_facts(context, p); !attached) return attached;
    if (configure_context(context, p.key.side == Side::server, session_policy(p))) return {};
    return Error{Errc::no_memory, fmt::format("could not be completed: {}", take_openssl_error()), ""};
}

}  // namespace

void prepare_contexts() {
    if (g_facts_index < 0) g_facts_index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_facts);
}

Result<SSL_CTX*> build_context(const Profile& p, std::vector<std::string>* warnings) {
    prepare_contexts();
    ERR_clear_error();
    const std::string who = fmt::format("{} ({})", p.name, p.where);
    const uint64_t failures = openssl_allocation_failures();
    OwnedContext context(SSL_CTX_new_ex(library_context(), nullptr,
                                        p.key.side == Side::server ? TLS_server_method() : TLS_client_method()));
    if (!context)
        return Error{Errc::no_memory, fmt::format("{}: {}", who, take_openssl_error()), "start with a larger -m"};
    std::vector<std::string> said;
    if (Status filled = fill(context.get(), p, &said); !filled) {
        ERR_clear_error();
        return std::move(filled).error().context(who);
    }
    if (openssl_allocation_failures() != failures || (openssl_booted() && !slot_libctx_is_whole()))
        return Error{Errc::no_memory, fmt::format("{}: out of memory", who), "start with a larger -m"};
    if (warnings != nullptr)
        for (const std::string& warning : said) warnings->push_back(fmt::format("{}: {}", who, warning));
    ERR_clear_error();
    return context.release();
}

const ContextFacts* facts_of(const SSL_CTX* context) {
    if (context == nullptr || g_facts_index < 0) return nullptr;
    return static_cast<const ContextFacts*>(SSL_CTX_get_ex_data(context, g_facts_index));
}

void switch_context(SSL* ssl, SSL_CTX* context) {
    SSL_CTX* now = SSL_get_SSL_CTX(ssl);
    const ContextFacts *had = facts_of(now), *gets = facts_of(context);
    if (now == context || (had != nullptr && gets != nullptr && std::strcmp(had->profile, gets->profile) == 0)) return;
    SSL_set_SSL_CTX(ssl, context);
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), SSL_CTX_get_verify_callback(context));
    SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(context));
    SSL_set_min_proto_version(ssl, static_cast<int>(SSL_CTX_get_min_proto_version(context)));
    SSL_set_max_proto_version(ssl, static_cast<int>(SSL_CTX_get_max_proto_version(context)));
}

}  // namespace kahu::tls
