#include "tls/channel.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/base/text.h"
#include "core/net/net_counters.h"
#include "core/stats/counters.h"
#include "mem/heap.h"
#include "tls/bio.h"
#include "tls/context.h"
#include "tls/handshake.h"
#include "tls/identity.h"
#include "tls/low_memory.h"
#include "tls/peer_info.h"
#include "tls/private_key.h"
#include "tls/session_cache.h"
#include "tls/shared_openssl.h"
#include "tls/ticket_keys.h"

namespace kahu::tls {

IntSetting send_close_notify{0};

namespace {

using net::ChannelStatus;
using net::Connection;

constexpr size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

// Connection::secure.  Always in the segment: in private mode a successor finds it there, and sees that the SSL was its
// predecessor's.
struct Channel {
    SSL* ssl;
    uint64_t incarnation;
    clock::Millis opened;
    int16_t alert;  // -1: none
    bool alert_from_peer, as_server, established, failed;
    uint8_t first_bytes;
    char first[16];  // what the peer sent first
};

int g_connection_index = -1;

// What the callbacks of the handshake step being made have found out; it fails or goes on before the process turns to
// another connection.  The name in the ClientHello: OpenSSL does not tell it when it fails before reading extensions.
struct Findings {
    const Connection* connection = nullptr;
    std::string server_name, why_failed;
};
Findings g_findings;

Findings& findings_of(const Connection& connection) {
    if (g_findings.connection != &connection) g_findings = {&connection, {}, {}};
    return g_findings;
}

Channel& channel_of(Connection& connection) { return *static_cast<Channel*>(connection.secure); }

// The SSL died with the process that made it: its address means nothing here.
bool is_lost(const Channel& channel) { return !openssl_is_shared() && channel.incarnation != slot_incarnation(); }

ChannelStatus fail_handshake(Connection& connection, Channel& channel, const Failure& failure) {
    if (!channel.failed && !channel.established)
        report_failure(connection, channel.ssl, failure, findings_of(connection).server_name);
    channel.failed = true;
    return ChannelStatus::failed;
}

ChannelStatus fail_with(Connection& connection, Channel& channel, const Failure& failure) {
    if (!channel.established) return fail_handshake(connection, channel, failure);
    if (!channel.failed)
        LOG_AT_MOST(5, info, "tls.connection.failed", kv("peer", connection.peer.text()), kv("reason", failure.reason));
    channel.failed = true;
    return ChannelStatus::failed;
}
ChannelStatus fail(Connection& connection, Channel& channel) {
    return fail_with(connection, channel,
                     classify(channel.ssl, findings_of(connection).why_failed, channel.alert, channel.alert_from_peer,
                              {channel.first, channel.first_bytes}));
}

// Nothing more can be done with it: the SSL is not touched.
bool must_fail(Connection& connection, Channel& channel) {
    if (channel.failed || is_lost(channel)) return true;
    if (!memory_for_none()) return false;
    fail_with(connection, channel, {FailureClass::internal, "less memory is free than low_mem_threshold2"});
    return true;
}

ChannelStatus outcome(Connection& connection, Channel& channel, int result) {
    switch (SSL_get_error(channel.ssl, result)) {
    case SSL_ERROR_WANT_READ: return ChannelStatus::need_more;
    case SSL_ERROR_ZERO_RETURN: return ChannelStatus::closed;
    default: return fail(connection, channel);
    }
}

// Many may have been accepted before the first of them took any memory: so this is asked again where a handshake begins
// to cost (33 KB, then 60 KB once its ClientHello has been read), or they would take what open connections need.
bool lacks_memory(const char*& limit) {
    limit = why_no_memory(Transport::tls);
    if (limit != nullptr) stats::add(net::counters.local_reject);
    return limit != nullptr;
}
Failure less_memory_than(const char* limit) {
    return {FailureClass::internal, std::string("less memory is free than ") + limit};
}

// --- OpenSSL's callbacks -------------------------------------------------------------------------
void on_info(const SSL* ssl, int where, int value) {
    if (!(where & SSL_CB_ALERT)) return;
    Connection* const connection = connection_of(ssl);
    if (!connection || !connection->secure) return;
    Channel& channel = channel_of(*connection);
    const bool fatal = (value >> 8) == SSL3_AL_FATAL;
    if (!fatal && channel.alert >= 0) return;
    channel.alert = static_cast<int16_t>(value & 0xff);
    channel.alert_from_peer = (where & SSL_CB_READ) != 0;
}

// The one host name of the extension (RFC 6066 section 3): list length, type 0, name length, name.  "": none or
// malformed, which OpenSSL will find itself.
std::string_view server_name_in(SSL* ssl) {
    const unsigned char* extension = nullptr;
    size_t bytes = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &bytes) != 1 || bytes < 5) return {};
    const auto number = [&](size_t at) { return static_cast<size_t>(extension[at] << 8 | extension[at + 1]); };
    const size_t name_bytes = number(3);
    if (number(0) != bytes - 2 || extension[2] != TLSEXT_NAMETYPE_host_name || name_bytes != bytes - 5) return {};
    const std::string_view name(reinterpret_cast<const char*>(extension) + 5, name_bytes);
    return name_bytes > TLSEXT_MAXLEN_host_name || name.find('\0') != name.npos ? std::string_view{} : name;
}

int on_client_hello(SSL* ssl, int* alert, void*) {
    Connection* const connection = connection_of(ssl);
    if (const char* limit = nullptr; connection && connection->secure && lacks_memory(limit)) {
        fail_with(*connection, channel_of(*connection), less_memory_than(limit));
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    const std::string_view name = connection ? server_name_in(ssl) : std::string_view{};
    if (name.empty()) return SSL_CLIENT_HELLO_SUCCESS;
    findings_of(*connection).server_name = name;
    std::string why;
    SSL_CTX* const context = context_for(
        {.side = Side::server, .local = connection->local, .peer = connection->peer, .server_name = name}, why);
    if (!context) {
        explain_failure(ssl, why);
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    switch_context(ssl, context);
    return SSL_CLIENT_HELLO_SUCCESS;
}

// The name was used: without this, OpenSSL would not keep it in the session.
int on_server_name(SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; }

// --- the engine's functions ----------------------------------------------------------------------
bool refuse(Connection& connection, const Failure& failure) {
    report_failure(connection, nullptr, failure, {});
    return false;
}
bool refuse(Connection& connection, std::string why) {
    return refuse(connection, {FailureClass::own_certificate, text::printable(why)});
}

// What the peer must prove to be: the domain the connection was made for; a profile that names another one goes before
// (a trunk behind an address).  Empty: nobody said.
std::string_view wanted_name(const Connection& connection, const ContextFacts* facts) {
    const std::string_view host = connection.host == nullptr ? std::string_view() : connection.host;
    const std::string_view named = facts == nullptr ? std::string_view() : facts->server_name;
    return named.empty() || server_name_matches(named, ServerNameMode::name_and_subdomains, host) ? host : named;
}

bool is_dns_name(std::string_view host) { return !host.empty() && !SocketAddress::parse_ip(host); }

bool attach(Connection& connection, SSL* ssl, bool as_server) {
    BIO* const bio = new_connection_bio(connection);
    if (!bio) return false;
    SSL_set_bio(ssl, bio, bio);
    if (SSL_set_ex_data(ssl, g_connection_index, &connection) != 1) return false;
    if (as_server) {
        SSL_set_accept_state(ssl);
        return true;
    }
    SSL_set_connect_state(ssl);
    const std::string name(wanted_name(connection, facts_of(SSL_get_SSL_CTX(ssl))));
    return !is_dns_name(name) || SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;  // RFC 6066 3: no addresses
}

bool open(Connection& connection, bool as_server) {
    if (const char* limit = nullptr; as_server && lacks_memory(limit))
        return refuse(connection, less_memory_than(limit));
    std::string why;
    const Side side = as_server ? Side::server : Side::client;
    const std::string_view host = as_server || !connection.host ? std::string_view() : connection.host;
    SSL_CTX* const context =
        context_for({.side = side, .local = connection.local, .peer = connection.peer, .server_name = host}, why);
    if (!context) return refuse(connection, std::move(why));
    auto* const channel = mem::make<Channel>(mem::Tag::openssl);
    if (!channel) return refuse(connection, "out of memory");
    channel->ssl = SSL_new(context);
    channel->incarnation = slot_incarnation();
    channel->alert = -1;
    channel->opened = clock::now_ms();
    channel->as_server = as_server;
    if (!channel->ssl || !attach(connection, channel->ssl, as_server)) {
        SSL_free(channel->ssl);
        mem::destroy(channel, mem::Tag::openssl);
        ERR_clear_error();
        return refuse(connection, "out of memory");
    }
    connection.secure = channel;
    return true;
}

void feed(Connection& connection, std::string_view ciphertext) {
    Channel& channel = channel_of(connection);
    if (!channel.established && channel.first_bytes < sizeof channel.first) {
        const size_t room = sizeof channel.first - channel.first_bytes, n = std::min(room, ciphertext.size());
        std::memcpy(channel.first + channel.first_bytes, ciphertext.data(), n);
        channel.first_bytes = static_cast<uint8_t>(channel.first_bytes + n);
    }
    feed_bio(connection, ciphertext);
}

// RFC 5922 7.3: a server whose certificate does not name the domain gets nothing.
bool is_wanted_server(Connection& connection, Channel& channel) {
    const ContextFacts* const facts = facts_of(SSL_get_SSL_CTX(channel.ssl));
    const std::string_view name = wanted_name(connection, facts);
    X509* const certificate = SSL_get0_peer_certificate(channel.ssl);
    if (facts == nullptr || !facts->verifies || name.empty() || (certificate && names_host(certificate, name)))
        return true;
    std::string names;
    if (certificate)
        for (const std::string& each : sip_identities(certificate)) names += (names.empty() ? "" : ", ") + each;
    fail_handshake(connection, channel,
                   {FailureClass::peer_certificate,
                    text::printable("the certificate does not name " + std::string(name) + " but: " + names)});
    return false;
}

ChannelStatus handshake(Connection& connection) {
    Channel& channel = channel_of(connection);
    if (must_fail(connection, channel)) return ChannelStatus::failed;
    ERR_clear_error();
    const int result = SSL_do_handshake(channel.ssl);
    if (result != 1) {
        const ChannelStatus status = outcome(connection, channel, result);
        return status == ChannelStatus::closed ? fail(connection, channel) : status;
    }
    if (!channel.as_server && !is_wanted_server(connection, channel)) return ChannelStatus::failed;
    channel.established = true;
    publish_peer_info(connection, channel.ssl);
    report_success(connection, channel.ssl, clock::now_ms() - channel.opened);
    return ChannelStatus::ok;
}

ChannelStatus read(Connection& connection, char* into, size_t room, size_t& got) {
    Channel& channel = channel_of(connection);
    got = 0;
    if (must_fail(connection, channel)) return ChannelStatus::failed;
    ERR_clear_error();
    const int result = SSL_read_ex(channel.ssl, into, room, &got);
    return result == 1 ? ChannelStatus::ok : outcome(connection, channel, result);
}

ChannelStatus write(Connection& connection, std::string_view plaintext) {
    Channel& channel = channel_of(connection);
    if (must_fail(connection, channel)) return ChannelStatus::failed;
    ERR_clear_error();
    while (!plaintext.empty()) {
        size_t written = 0;
        const int result =
            SSL_write_ex(channel.ssl, plaintext.data(), std::min(plaintext.size(), kRecordBytes), &written);
        if (result != 1) return fail(connection, channel);  // the BIO never asks to wait
        plaintext.remove_prefix(written);
    }
    return ChannelStatus::ok;
}

void shutdown(Connection& connection) {
    Channel& channel = channel_of(connection);
    if (!channel.established || channel.failed || is_lost(channel) || send_close_notify == 0) return;
    ERR_clear_error();
    SSL_shutdown(channel.ssl);
    ERR_clear_error();
}

void release(Connection& connection) {
    auto* channel = static_cast<Channel*>(connection.secure);
    end_feed(connection);
    if (g_findings.connection == &connection) g_findings = {};
    release_peer_info(connection);
    if (!channel) return;
    connection.secure = nullptr;
    if (is_lost(*channel)) return mem::destroy(channel, mem::Tag::openssl);
    // Without this, OpenSSL takes a connection that ended without close_notify for an attack and drops its session;
    // peers that just close are the rule in SIP.
    if (channel->established && !channel->failed)
        SSL_set_shutdown(channel->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(channel->ssl);
    mem::destroy(channel, mem::Tag::openssl);
    ERR_clear_error();
}

int64_t abandon(Connection& connection) {
    // Measured 2026-11 with OpenSSL 3.0: 33 KB when a handshake begins, 90 to 95 KB once the ClientHello has been read,
    // 15 to 32 KB afterwards.
    constexpr int64_t kHandshake = 92 * 1024, kEstablished = 32 * 1024;
    auto* const channel = static_cast<Channel*>(connection.secure);
    const bool established = channel != nullptr && channel->established;
    connection.secure = nullptr;
    release_peer_info(connection);  // written whole before it was published
    if (openssl_is_shared()) return established ? kEstablished : kHandshake;
    mem::destroy(channel, mem::Tag::openssl);  // the SSL went with its process
    return 0;
}

bool survived(const Connection& connection) {
    return connection.secure == nullptr || !is_lost(*static_cast<const Channel*>(connection.secure));
}

void handshake_cut(Connection& connection, std::string_view why) {
    if (!connection.secure) return;
    Channel& channel = channel_of(connection);
    if (is_lost(channel)) return;
    const bool late = why.find("time") != why.npos;
    fail_handshake(connection, channel,
                   {late ? FailureClass::timeout : FailureClass::connection_lost, text::printable(why)});
}

bool is_authenticated(const Connection& connection) {
    const auto info = peer_info(connection);
    return info && info->verified;
}

bool is_named(const Connection& connection, std::string_view host) {
    const auto info = peer_info(connection);
    if (!info || !info->verified || info->peer_certificate.empty()) return false;
    const auto* bytes = reinterpret_cast<const unsigned char*>(info->peer_certificate.data());
    X509* const certificate = d2i_X509(nullptr, &bytes, static_cast<long>(info->peer_certificate.size()));
    const bool named = certificate != nullptr && names_host(certificate, host);
    X509_free(certificate);
    ERR_clear_error();
    return named;
}

constexpr net::SecureChannel kChannel{.open = open,
                                      .feed = feed,
                                      .handshake = handshake,
                                      .read = read,
                                      .write = write,
                                      .shutdown = shutdown,
                                      .release = release,
                                      .abandon = abandon,
                                      .survived = survived,
                                      .handshake_cut = handshake_cut,
                                      .is_authenticated = is_authenticated,
                                      .is_named = is_named};

}  // namespace

const net::SecureChannel& secure_channel() { return kChannel; }

bool prepare_channels() {
    if (g_connection_index < 0) g_connection_index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return g_connection_index >= 0 && prepare_bio();
}

Connection* connection_of(const SSL* ssl) { return static_cast<Connection*>(SSL_get_ex_data(ssl, g_connection_index)); }

void explain_failure(SSL* ssl, std::string_view reason) {
    const Connection* const connection = connection_of(ssl);
    if (!connection) return;
    std::string& why = findings_of(*connection).why_failed;
    if (why.empty()) why = reason;
}

bool configure_context(SSL_CTX* context, bool as_server, std::string_view policy) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(policy.data()), policy.size(), digest);
    static_assert(sizeof digest <= SSL_MAX_SID_CTX_LENGTH);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_info_callback(context, on_info);
    SSL_CTX_set_cert_cb(context, use_own_key, nullptr);
    bool ready = own_the_keys_of(context) && remember_own_certificates(context) &&
                 SSL_CTX_set_session_id_context(context, digest, sizeof digest) == 1;
    if (!as_server) return ready;
    ready = ready && SSL_CTX_set_num_tickets(context, 1) == 1;
    SSL_CTX_set_client_hello_cb(context, on_client_hello, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    return ready && enable_session_cache(context) && enable_tickets(context);
}

}  // namespace kahu::tls
