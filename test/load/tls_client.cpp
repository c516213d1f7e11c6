#include "test/load/tls_client.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "core/base/text.h"

namespace kahu::load {
namespace {

Error refused(const std::string& what) { return {Errc::invalid, what + ": " + openssl_reason(), ""}; }

Status limit_version(SSL_CTX* context, const std::string& version) {
    if (version.empty()) return {};
    const int number = version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX_set_min_proto_version(context, number);
    SSL_CTX_set_max_proto_version(context, number);
    return {};
}

Status set_ciphers(SSL_CTX* context, const Options& options) {
    if (options.ciphers.empty()) return {};
    const bool as_suites = options.ciphers.starts_with("TLS_");
    const int ok = as_suites ? SSL_CTX_set_ciphersuites(context, options.ciphers.c_str())
                             : SSL_CTX_set_cipher_list(context, options.ciphers.c_str());
    if (ok != 1) return refused("--ciphers " + options.ciphers);
    return {};
}

Status set_files(SSL_CTX* context, const Options& options) {
    if (!options.ca.empty()) {
        if (SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) return refused("--ca " + options.ca);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    if (options.certificate.empty()) return {};
    const std::string& key = options.key.empty() ? options.certificate : options.key;
    if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1)
        return refused("--cert " + options.certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) return refused("--key " + key);
    return {};
}

}  // namespace

Result<Context> make_client_context(const Options& options) {
    Context context(SSL_CTX_new(TLS_client_method()));
    if (!context) return refused("SSL_CTX_new");
    SSL_CTX* raw = context.get();
    SSL_CTX_set_options(raw, SSL_OP_IGNORE_UNEXPECTED_EOF | (options.session_ids ? SSL_OP_NO_TICKET : 0));
    if (options.session_ids) SSL_CTX_set_max_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_mode(raw,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (options.mode == Mode::requests) SSL_CTX_set_read_ahead(raw, 1);  // several records per read(2)
    if (auto s = limit_version(raw, options.tls); !s) return std::move(s).error();
    if (auto s = set_ciphers(raw, options); !s) return std::move(s).error();
    if (!options.groups.empty() && SSL_CTX_set1_groups_list(raw, options.groups.c_str()) != 1)
        return refused("--groups " + options.groups);
    if (auto s = set_files(raw, options); !s) return std::move(s).error();
    return context;
}

std::string openssl_reason() {
    const unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    if (error == 0) return "no reason given";
    const char* reason = ERR_reason_error_string(error);
    return reason != nullptr ? reason : "error " + std::to_string(error);
}

std::string fingerprint_of(const SSL* ssl) {
    const X509* certificate = SSL_get0_peer_certificate(ssl);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return {};
    return text::hex({digest, size});
}

std::string client_hello(SSL_CTX* context, const std::string& sni) {
    SSL* ssl = SSL_new(context);
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    if (!sni.empty()) SSL_set_tlsext_host_name(ssl, sni.c_str());
    SSL_connect(ssl);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    std::string hello(bytes, static_cast<size_t>(size));
    SSL_free(ssl);
    ERR_clear_error();
    return hello;
}

}  // namespace kahu::load
