#include "core/modules/auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base/text.h"

namespace kahu::auth {
namespace {

struct Hasher {
    EVP_MD* digests[2] = {EVP_MD_fetch(nullptr, "MD5", nullptr), EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    EVP_MD_CTX* context = EVP_MD_CTX_new();
};
// Never freed: it lives as long as its process.
Hasher& hasher() {
    static Hasher instance;
    return instance;
}

bool same_word(std::string_view a, std::string_view b) { return text::iequals(a, b); }

}  // namespace

std::string_view name_of(Algorithm algorithm) { return algorithm == Algorithm::md5 ? "MD5" : "SHA-256"; }

std::optional<Scheme> scheme_named(std::string_view name) {
    if (name.empty() || same_word(name, "MD5")) return Scheme{Algorithm::md5, false};
    if (same_word(name, "MD5-sess")) return Scheme{Algorithm::md5, true};
    if (same_word(name, "SHA-256")) return Scheme{Algorithm::sha256, false};
    if (same_word(name, "SHA-256-sess")) return Scheme{Algorithm::sha256, true};
    return std::nullopt;
}

HexDigest digest_of(Algorithm algorithm, std::initializer_list<std::string_view> parts) {
    Hasher& h = hasher();
    const EVP_MD* const digest = h.digests[static_cast<size_t>(algorithm)];
    HexDigest out;
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    if (digest == nullptr || h.context == nullptr || EVP_DigestInit_ex2(h.context, digest, nullptr) != 1) return out;
    for (const std::string_view part : parts)
        if (EVP_DigestUpdate(h.context, part.data(), part.size()) != 1) return out;
    if (EVP_DigestFinal_ex(h.context, raw, &bytes) != 1 || bytes * 2 > out.text.size()) return out;
    constexpr std::string_view kHex = "0123456789abcdef";
    for (unsigned i = 0; i < bytes; ++i) {
        out.text[2 * i] = kHex[raw[i] >> 4];
        out.text[2 * i + 1] = kHex[raw[i] & 15];
    }
    out.bytes = static_cast<uint8_t>(bytes * 2);
    return out;
}

HexDigest ha1_of(Algorithm algorithm, std::string_view user, std::string_view realm, std::string_view password) {
    return digest_of(algorithm, {user, ":", realm, ":", password});
}

HexDigest response_to(const Proof& p) {
    const Algorithm algorithm = p.scheme.algorithm;
    HexDigest ha1;
    std::string_view secret = p.ha1;
    if (p.scheme.session) {
        ha1 = digest_of(algorithm, {p.ha1, ":", p.nonce, ":", p.cnonce});
        secret = ha1.view();
    }
    const bool with_body = same_word(p.qop, "auth-int");
    const HexDigest body = with_body ? digest_of(algorithm, {p.body}) : HexDigest{};
    const HexDigest ha2 = with_body ? digest_of(algorithm, {p.method, ":", p.uri, ":", body.view()})
                                    : digest_of(algorithm, {p.method, ":", p.uri});
    if (p.qop.empty()) return digest_of(algorithm, {secret, ":", p.nonce, ":", ha2.view()});
    return digest_of(algorithm, {secret, ":", p.nonce, ":", p.nc, ":", p.cnonce, ":", p.qop, ":", ha2.view()});
}

bool same_secret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && !a.empty() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace kahu::auth
