#include "tls/peer_info.h"

#include <openssl/ssl.h>
#include <sched.h>

#include <atomic>
#include <cstring>
#include <string_view>

#include "core/base/clock.h"
#include "mem/hazard.h"
#include "mem/heap.h"
#include "mem/slot.h"
#include "tls/context.h"
#include "tls/verify.h"

namespace kahu::tls {
namespace {

int g_index = -1;  // OwnCertificate of an X509

struct OwnCertificate {
    std::atomic<uint32_t> references;
    uint32_t bytes;
    unsigned char der[];
};

// In the segment; whole once published.  Pointers: only into the segment and libssl's constant tables.
struct Block {
    const SSL_CIPHER* cipher;
    const char* version;
    OwnCertificate* own;
    int64_t established_unix;
    long verify_result;
    uint32_t peer_bytes;
    uint16_t name_bytes, profile_bytes;
    bool resumed, as_server, verified;
    char text[];  // name, profile, the peer's certificate
};

void release(OwnCertificate* own) {
    if (own && own->references.fetch_sub(1, std::memory_order_acq_rel) == 1) mem::deallocate(own, mem::Tag::openssl);
}

void on_certificate_freed(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
    release(static_cast<OwnCertificate*>(data));
}

size_t der_bytes(const X509* certificate) {
    const int bytes = certificate ? i2d_X509(certificate, nullptr) : 0;
    return bytes > 0 && static_cast<size_t>(bytes) <= kLargestCertificate ? static_cast<size_t>(bytes) : 0;
}

// One more reference for the caller; nullptr: it has none.
OwnCertificate* own_certificate(SSL* ssl) {
    X509* const certificate = SSL_get_certificate(ssl);
    auto* const own = certificate ? static_cast<OwnCertificate*>(X509_get_ex_data(certificate, g_index)) : nullptr;
    if (own) own->references.fetch_add(1, std::memory_order_relaxed);
    return own;
}

bool remember(X509* certificate) {
    const size_t bytes = der_bytes(certificate);
    if (bytes == 0 || X509_get_ex_data(certificate, g_index)) return true;
    auto* own = static_cast<OwnCertificate*>(mem::allocate(sizeof(OwnCertificate) + bytes, mem::Tag::openssl));
    if (!own) return false;
    own->references = 1;
    own->bytes = static_cast<uint32_t>(bytes);
    unsigned char* end = own->der;
    i2d_X509(certificate, &end);
    if (X509_set_ex_data(certificate, g_index, own) == 1) return true;
    mem::deallocate(own, mem::Tag::openssl);
    return false;
}

// A reader copies within microseconds; one that was killed is cleared by recover_slot().
bool wait_until_unread(const Block* block) {
    for (int spin = 0; spin < 1000; ++spin) {
        if (!mem::anyone_protects(block)) return true;
        sched_yield();
    }
    return false;
}

PeerInfo copy_of(const Block& block) {
    PeerInfo info;
    char description[256] = "";
    info.version = block.version;
    info.cipher = SSL_CIPHER_get_name(block.cipher);
    info.cipher_bits = SSL_CIPHER_get_bits(block.cipher, nullptr);
    if (block.cipher) SSL_CIPHER_description(block.cipher, description, sizeof description);
    for (const char* c = description; *c != '\0'; ++c) {
        const bool blank = *c == ' ' || *c == '\n';
        if (!blank) info.cipher_description += *c;
        else if (!info.cipher_description.empty() && info.cipher_description.back() != ' ')
            info.cipher_description += ' ';
    }
    if (info.cipher_description.ends_with(' ')) info.cipher_description.pop_back();
    info.verify_result = block.verify_result;
    info.verified = block.verified;
    info.resumed = block.resumed;
    info.as_server = block.as_server;
    info.established_unix = block.established_unix;
    const char* text = block.text;
    info.server_name.assign(text, block.name_bytes);
    info.profile.assign(text += block.name_bytes, block.profile_bytes);
    info.peer_certificate.assign(text + block.profile_bytes, block.peer_bytes);
    if (block.own) info.own_certificate.assign(reinterpret_cast<const char*>(block.own->der), block.own->bytes);
    return info;
}

}  // namespace

bool prepare_peer_info() {
    if (g_index < 0) g_index = X509_get_ex_new_index(0, nullptr, nullptr, nullptr, on_certificate_freed);
    return g_index >= 0;
}

bool remember_own_certificates(SSL_CTX* context) {
    if (mem::current_slot() < 0) return true;  // a process that only checks a configuration has no segment
    bool all = true;
    for (long more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT))
        all = remember(SSL_CTX_get0_certificate(context)) && all;
    SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST);
    return all;
}

std::optional<PeerInfo> peer_info(const net::Connection& connection) {
    auto& published = const_cast<std::atomic<void*>&>(connection.secure_info);
    const auto* block = static_cast<const Block*>(mem::protect(published));
    std::optional<PeerInfo> info;
    if (block) info = copy_of(*block);
    mem::clear_hazard();
    return info;
}

void publish_peer_info(net::Connection& connection, SSL* ssl) {
    const ContextFacts* const facts = facts_of(SSL_get_SSL_CTX(ssl));
    const char* const sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const std::string_view name = std::string_view(sni ? sni : "").substr(0, 255);
    const std::string_view profile = facts ? facts->profile : "";
    const X509* const peer = SSL_get0_peer_certificate(ssl);
    const size_t peer_bytes = der_bytes(peer);
    auto* block = static_cast<Block*>(
        mem::allocate(sizeof(Block) + name.size() + profile.size() + peer_bytes, mem::Tag::openssl));
    if (!block) return;
    *block = {.cipher = SSL_get_current_cipher(ssl),
              .version = SSL_get_version(ssl),
              .own = own_certificate(ssl),
              .established_unix = clock::unix_seconds(),
              .verify_result = SSL_get_verify_result(ssl),
              .peer_bytes = static_cast<uint32_t>(peer_bytes),
              .name_bytes = static_cast<uint16_t>(name.size()),
              .profile_bytes = static_cast<uint16_t>(profile.size()),
              .resumed = SSL_session_reused(ssl) == 1,
              .as_server = SSL_is_server(ssl) == 1,
              .verified = is_peer_verified(ssl)};
    char* text = block->text;
    std::memcpy(text, name.data(), name.size());
    std::memcpy(text += name.size(), profile.data(), profile.size());
    auto* der = reinterpret_cast<unsigned char*>(text + profile.size());
    if (peer_bytes > 0) i2d_X509(peer, &der);
    connection.secure_info.store(block, std::memory_order_release);
}

void release_peer_info(net::Connection& connection) {
    auto* block = static_cast<Block*>(connection.secure_info.exchange(nullptr, std::memory_order_seq_cst));
    if (!block || !wait_until_unread(block)) return;
    release(block->own);
    mem::deallocate(block, mem::Tag::openssl);
}

}  // namespace kahu::tls
