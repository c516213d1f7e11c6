// core/modules/auth/digest.h -- the arithmetic of digest authentication (RFC 7616, RFC 8760).
//
// WHY    Pure functions over texts, checked against the RFC's examples; who asks and where passwords come from is
//        decided above.
// LIVES  OpenSSL's digests are fetched once per process, at first use: not before the processes are forked.
// FAILS  Digest texts are empty if OpenSSL has no such digest (MD5 in FIPS mode); verify() is false then.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace kahu::auth {

enum class Algorithm : uint8_t { md5, sha256 };
struct Scheme {
    Algorithm algorithm = Algorithm::md5;
    bool session = false;  // "-sess"
};
std::string_view name_of(Algorithm algorithm);              // "MD5", "SHA-256"
std::optional<Scheme> scheme_named(std::string_view name);  // as `algorithm=` writes it; "" is MD5

// Lower-case hexadecimal.
struct HexDigest {
    std::array<char, 64> text{};
    uint8_t bytes = 0;
    std::string_view view() const { return {text.data(), bytes}; }
};
constexpr size_t hex_bytes(Algorithm algorithm) { return algorithm == Algorithm::md5 ? 32 : 64; }

// Of all parts one behind the other.
HexDigest digest_of(Algorithm algorithm, std::initializer_list<std::string_view> parts);
// H(user:realm:password)
HexDigest ha1_of(Algorithm algorithm, std::string_view user, std::string_view realm, std::string_view password);

struct Proof {  // what the client computed with
    Scheme scheme;
    std::string_view ha1;  // hexadecimal, of scheme.algorithm
    std::string_view nonce, nc, cnonce, qop;
    std::string_view method, uri, body;  // body: for qop auth-int
};
HexDigest response_to(const Proof& proof);

// Takes the same time whatever the difference.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace kahu::auth
