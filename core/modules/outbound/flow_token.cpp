#include "core/modules/outbound/flow_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>

#include "mem/contract.h"

namespace kahu::outbound {
namespace {

using Bytes = std::basic_string_view<unsigned char>;
constexpr size_t kTag = 16, kMostBytes = kTag + 1 + 18 + 18 + 8;
constexpr unsigned char kNotOnly = 0x80, kV6 = 0x40, kTransport = 0x3f;

// --- HMAC (RFC 2104) -----------------------------------------------------------------------------------------
struct Hasher {
    EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
};
// Never freed: it lives as long as its process.
Hasher& hasher() {
    static Hasher instance;
    return instance;
}
Key hash(Bytes first, Bytes second) {
    Hasher& h = hasher();
    Key out;
    unsigned size = 0;
    REQUIRE(h.sha256 != nullptr && h.context != nullptr);
    REQUIRE(EVP_DigestInit_ex2(h.context, h.sha256, nullptr) == 1);
    REQUIRE(EVP_DigestUpdate(h.context, first.data(), first.size()) == 1);
    REQUIRE(EVP_DigestUpdate(h.context, second.data(), second.size()) == 1);
    REQUIRE(EVP_DigestFinal_ex(h.context, out.data(), &size) == 1 && size == out.size());
    return out;
}
Key hmac(const Key& key, Bytes text) {
    constexpr size_t kBlock = 64;
    unsigned char inner[kBlock], outer[kBlock];
    for (size_t i = 0; i < kBlock; ++i) {
        const unsigned char k = i < key.size() ? key[i] : 0;
        inner[i] = k ^ 0x36;
        outer[i] = k ^ 0x5c;
    }
    const Key first = hash({inner, kBlock}, text);
    return hash({outer, kBlock}, {first.data(), first.size()});
}

// --- base64url (RFC 4648 5) ------------------------------------------------------------------------------------
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void append_base64(Bytes bytes, std::string& out) {
    uint32_t bits = 0;
    int count = 0;
    for (const unsigned char byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 6; count -= 6) out += kAlphabet[bits >> (count - 6) & 63];
    }
    if (count > 0) out += kAlphabet[bits << (6 - count) & 63];
}
// 0: not in this encoding, or not as append_base64() writes it.  REQUIRES: room for 3/4 of the text.
size_t read_base64(std::string_view text, unsigned char* out) {
    uint32_t bits = 0;
    int count = 0;
    size_t size = 0;
    for (const char c : text) {
        const size_t value = kAlphabet.find(c);
        if (value == kAlphabet.npos) return 0;
        bits = bits << 6 | static_cast<uint32_t>(value);
        if ((count += 6) < 8) continue;
        count -= 8;
        out[size++] = static_cast<unsigned char>(bits >> count);
    }
    const bool exact = count < 6 && (bits & ((1u << count) - 1)) == 0;
    return exact ? size : 0;
}

// --- what is inside ----------------------------------------------------------------------------------------------
const unsigned char* ip_of(const SocketAddress& address) {
    return address.is_v6()
               ? reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr.s6_addr
               : reinterpret_cast<const unsigned char*>(&reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr);
}
unsigned char* put(unsigned char* at, const SocketAddress& address) {
    const size_t size = address.is_v6() ? 16 : 4;
    std::memcpy(at, ip_of(address), size);
    at[size] = static_cast<unsigned char>(address.port() >> 8);
    at[size + 1] = static_cast<unsigned char>(address.port() & 255);
    return at + size + 2;
}
SocketAddress take(const unsigned char*& at, bool v6) {
    sockaddr_in6 six{};
    sockaddr_in four{};
    const size_t size = v6 ? 16 : 4;
    six.sin6_family = AF_INET6;
    four.sin_family = AF_INET;
    if (v6) std::memcpy(&six.sin6_addr, at, size);
    else std::memcpy(&four.sin_addr, at, size);
    SocketAddress address =
        SocketAddress::from(v6 ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four));
    address.set_port(static_cast<uint16_t>(at[size] << 8 | at[size + 1]));
    at += size + 2;
    return address;
}
size_t size_of(bool v6, Transport transport) {
    return kTag + 1 + 2 * (v6 ? 18 : 6) + (is_stream(transport) ? sizeof(uint64_t) : 0);
}

}  // namespace

Key key_of(std::string_view secret) {
    return hash({reinterpret_cast<const unsigned char*>(secret.data()), secret.size()}, {});
}

void append_token(const script::PeerFlow& flow, const Key& key, std::string& out) {
    unsigned char bytes[kMostBytes];
    unsigned char* at = bytes + kTag;
    *at++ = static_cast<unsigned char>((flow.only ? 0 : kNotOnly) | (flow.peer.is_v6() ? kV6 : 0) |
                                       static_cast<unsigned char>(flow.transport));
    REQUIRE(flow.local.is_v6() == flow.peer.is_v6());
    at = put(put(at, flow.local), flow.peer);
    if (is_stream(flow.transport))
        for (int shift = 56; shift >= 0; shift -= 8)
            *at++ = static_cast<unsigned char>(static_cast<uint64_t>(flow.connection) >> shift);
    const auto size = static_cast<size_t>(at - bytes);
    const Key tag = hmac(key, {bytes + kTag, size - kTag});
    std::memcpy(bytes, tag.data(), kTag);
    append_base64({bytes, size}, out);
}

Token read_token(std::string_view text, const Key& key, script::PeerFlow& out) {
    if (text.size() < kShortestToken || text.find_first_not_of(kAlphabet) != text.npos) return Token::none;
    if (text.size() > kLongestToken) return Token::broken;
    unsigned char bytes[kMostBytes + 3];
    const size_t size = read_base64(text, bytes);
    if (size < kTag + 1) return Token::broken;
    const Key tag = hmac(key, {bytes + kTag, size - kTag});
    if (CRYPTO_memcmp(tag.data(), bytes, kTag) != 0) return Token::broken;
    // From here on it is our own; the checks are for a secret that two versions share.
    const unsigned char* at = bytes + kTag;
    const bool v6 = (*at & kV6) != 0;
    out.only = (*at & kNotOnly) == 0;
    const int transport = *at++ & kTransport;
    if (transport > static_cast<int>(Transport::tls)) return Token::broken;
    out.transport = static_cast<Transport>(transport);
    if (size != size_of(v6, out.transport)) return Token::broken;
    out.local = take(at, v6);
    out.peer = take(at, v6);
    uint64_t connection = 0;
    if (is_stream(out.transport))
        for (size_t i = 0; i < sizeof connection; ++i) connection = connection << 8 | *at++;
    out.connection = static_cast<net::ConnectionId>(connection);
    return Token::good;
}

}  // namespace kahu::outbound
