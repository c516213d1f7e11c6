#include "tls/handshake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/stats/counters.h"
#include "tls/alerts.h"
#include "tls/context.h"
#include "tls/openssl_error.h"

namespace kahu::tls {
namespace {

struct ClassRow {
    FailureClass class_;
    std::string_view counter, help;
};
constexpr ClassRow kFailureClasses[] = {
    {FailureClass::no_shared_cipher, "failed_no_shared_cipher", "No cipher, group or signature algorithm in common."},
    {FailureClass::unsupported_protocol, "failed_unsupported_protocol", "No protocol version in common."},
    {FailureClass::not_tls, "failed_not_tls", "The peer did not speak TLS."},
    {FailureClass::peer_alert, "failed_peer_alert", "The peer refused the handshake with an alert."},
    {FailureClass::peer_certificate, "failed_peer_certificate", "The peer's certificate was missing or refused."},
    {FailureClass::own_certificate, "failed_own_certificate", "No profile or certificate of ours fits the peer."},
    {FailureClass::malformed, "failed_malformed", "The peer sent what TLS does not allow."},
    {FailureClass::timeout, "failed_timeout", "The handshake did not end in time."},
    {FailureClass::connection_lost, "failed_connection_lost", "The connection ended during the handshake."},
    {FailureClass::internal, "failed_internal", "Out of memory, or a defect."},
};
static_assert(
    [] {
        for (size_t i = 0; i < std::size(kFailureClasses); ++i)
            if (kFailureClasses[i].class_ != static_cast<FailureClass>(i)) return false;
        return std::size(kFailureClasses) == static_cast<size_t>(FailureClass::count_);
    }(),
    "one row per FailureClass, in enum order");

enum Event : size_t { completed, as_client, resumed, tls13, tls12, obsolete, count_ };
struct EventRow {
    std::string_view counter, help;
};
constexpr EventRow kEvents[] = {
    {"handshakes", "Handshakes that were completed."},
    {"handshakes_client", "Of these, on connections that we opened."},
    {"handshakes_resumed", "Of these, resumed from an earlier session."},
    {"handshakes_tls13", "Of these, with TLS 1.3."},
    {"handshakes_tls12", "Of these, with TLS 1.2."},
    {"handshakes_obsolete", "Of these, with an older version."},
};
static_assert(std::size(kEvents) == Event::count_);

constexpr size_t kClasses = std::size(kFailureClasses), kRows = kClasses + Event::count_ + kAlertCount * 2 + 1;
std::array<uint16_t, kRows> g_ids{};
constexpr size_t kFirstEvent = kClasses, kFirstAlert = kFirstEvent + Event::count_, kOtherAlert = kRows - 1;

constexpr std::array<Counter, kRows> kCounters = [] {
    std::array<Counter, kRows> rows{};
    size_t i = 0;
    for (const ClassRow& c : kFailureClasses) rows[i++] = {"tls", c.counter, CounterKind::counter, c.help};
    for (const EventRow& e : kEvents) rows[i++] = {"tls", e.counter, CounterKind::counter, e.help};
    for (const AlertRow& a : kAlerts)
        rows[i++] = {"tls", a.received, CounterKind::counter, "Handshakes the peer ended with this alert."};
    for (const AlertRow& a : kAlerts)
        rows[i++] = {"tls", a.sent, CounterKind::counter, "Handshakes we ended with this alert."};
    rows[i] = {"tls", "alert_other", CounterKind::counter, "Handshakes ended by an alert of another number."};
    for (size_t n = 0; n < kRows; ++n) rows[n].id = &g_ids[n];
    return rows;
}();

struct Reason {
    int lib, number;
    FailureClass class_;
    std::string_view words;  // empty: OpenSSL's own
};
constexpr Reason kReasons[] = {
    {ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER, FailureClass::no_shared_cipher},
    {ERR_LIB_SSL, SSL_R_NO_SUITABLE_KEY_SHARE, FailureClass::no_shared_cipher},
    {ERR_LIB_SSL, SSL_R_NO_SHARED_GROUPS, FailureClass::no_shared_cipher},
    {ERR_LIB_SSL, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, FailureClass::no_shared_cipher},
    {ERR_LIB_SSL, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, FailureClass::no_shared_cipher},
    {ERR_LIB_SSL, SSL_R_WRONG_CIPHER_RETURNED, FailureClass::no_shared_cipher},
    {ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL, FailureClass::unsupported_protocol},
    {ERR_LIB_SSL, SSL_R_UNKNOWN_PROTOCOL, FailureClass::unsupported_protocol},
    {ERR_LIB_SSL, SSL_R_WRONG_SSL_VERSION, FailureClass::unsupported_protocol},
    {ERR_LIB_SSL, SSL_R_NO_PROTOCOLS_AVAILABLE, FailureClass::unsupported_protocol},
    {ERR_LIB_SSL, SSL_R_INAPPROPRIATE_FALLBACK, FailureClass::unsupported_protocol},
    {ERR_LIB_SSL, SSL_R_VERSION_TOO_LOW, FailureClass::unsupported_protocol},
    {ERR_LIB_SSL, SSL_R_HTTP_REQUEST, FailureClass::not_tls, "not TLS: looks like plain HTTP"},
    {ERR_LIB_SSL, SSL_R_HTTPS_PROXY_REQUEST, FailureClass::not_tls, "not TLS: looks like an HTTP proxy request"},
    {ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, FailureClass::peer_certificate},
    {ERR_LIB_SSL, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, FailureClass::peer_certificate,
     "the peer sent no certificate"},
    {ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_ASSIGNED, FailureClass::own_certificate},
    {ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_SET, FailureClass::own_certificate},
    {ERR_LIB_SSL, SSL_R_CALLBACK_FAILED, FailureClass::own_certificate},
    {ERR_LIB_SSL, SSL_R_CERT_CB_ERROR, FailureClass::internal},
    {ERR_LIB_SSL, ERR_R_MALLOC_FAILURE, FailureClass::internal, "out of memory"},
    {ERR_LIB_SSL, ERR_R_INTERNAL_ERROR, FailureClass::internal},
};

constexpr std::string_view kSipWords[] = {"REGISTER ", "INVITE ", "OPTIONS ", "SUBSCRIBE ", "MESSAGE ",
                                          "ACK ",      "BYE ",    "CANCEL ",  "PUBLISH ",   "NOTIFY ",
                                          "REFER ",    "INFO ",   "PRACK ",   "UPDATE ",    "SIP/2.0 "};

std::string_view looks_like(std::string_view first) {
    if (first.empty() || first[0] == 0x16 || first[0] == 0x15) return {};
    for (const std::string_view word : kSipWords)
        if (first.substr(0, word.size()) == word.substr(0, first.size())) return "not TLS: looks like plain SIP";
    if (first.starts_with("\r\n")) return "not TLS: looks like a SIP keep-alive";
    if (first.starts_with("PROXY ")) return "not TLS: a PROXY protocol header";
    if (static_cast<unsigned char>(first[0]) & 0x80) return "not TLS: perhaps SSL 2.0";
    return "not TLS";
}

const Reason* known_reason(unsigned long error) {
    for (const Reason& reason : kReasons)
        if (ERR_GET_LIB(error) == reason.lib && ERR_GET_REASON(error) == reason.number) return &reason;
    return nullptr;
}

size_t alert_row(int number) {
    for (size_t i = 0; i < kAlertCount; ++i)
        if (kAlerts[i].number == number) return i;
    return kAlertCount;
}

void count(size_t row) { stats::add(g_ids[row]); }

void count_failure(const Failure& failure) {
    count(static_cast<size_t>(failure.class_));
    if (failure.alert < 0) return;
    const size_t alert = alert_row(failure.alert);
    if (alert == kAlertCount) count(kOtherAlert);
    else count(kFirstAlert + alert + (failure.alert_from_peer ? 0 : kAlertCount));
}

std::string alert_text(const Failure& failure) {
    if (failure.alert < 0) return "none";
    return fmt::format("{} {} {}", failure.alert_from_peer ? "received" : "sent", failure.alert,
                       alert_name(failure.alert));
}

}  // namespace

std::string_view alert_name(int number) {
    const size_t row = alert_row(number);
    return row == kAlertCount ? std::string_view{} : kAlerts[row].name;
}

Failure classify(const SSL* ssl, std::string_view explained, int alert, bool alert_from_peer,
                 std::string_view first_bytes) {
    const unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
    const Reason* const reason = known_reason(last) ? known_reason(last) : known_reason(first);
    std::string words = first != 0 ? take_openssl_error() : "internal error of OpenSSL";
    Failure failure{FailureClass::malformed, {}, alert, alert_from_peer};
    const std::string_view plain = looks_like(first_bytes);
    if (alert >= 0 && alert_from_peer) {
        failure.class_ = FailureClass::peer_alert;
        words = fmt::format("peer sent alert {} {}", alert, alert_name(alert));
    } else if (!plain.empty()) {
        failure.class_ = FailureClass::not_tls;
        words = reason && reason->class_ == FailureClass::not_tls ? reason->words : plain;
    } else if (reason) {
        failure.class_ = reason->class_;
        if (!reason->words.empty()) words = reason->words;
        if (reason->number == SSL_R_CERTIFICATE_VERIFY_FAILED)
            words = "peer certificate: " + verify_reason(SSL_get_verify_result(ssl));
    } else if (first == 0) {
        failure.class_ = FailureClass::internal;
    }
    failure.reason = text::printable(explained.empty() ? std::string_view(words) : explained);
    ERR_clear_error();
    return failure;
}

void report_failure(const net::Connection& connection, const SSL* ssl, const Failure& failure,
                    std::string_view hello_name) {
    // The peers' failures differ from each other; our own (out of memory) do not.
    static log::RateLimit limit_of_peers(20), limit_of_ours(1);
    log::RateLimit& limit = failure.class_ == FailureClass::internal ? limit_of_ours : limit_of_peers;
    count_failure(failure);
    if (!limit.allow()) return;
    const char* const sni = ssl ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : nullptr;
    const std::string_view name = sni ? sni : hello_name;
    const ContextFacts* const facts = ssl ? facts_of(SSL_get_SSL_CTX(ssl)) : nullptr;
    LOG(warn, "tls.handshake.failed", kv("peer", connection.peer.text()), kv("local", connection.local.text()),
        kv("side", connection.outbound ? "client" : "server"),
        kv("sni", name.empty() ? "-" : text::printable(name, 255)), kv("profile", facts ? facts->profile : "-"),
        kv("reason", failure.reason), kv("alert", alert_text(failure)), kv("suppressed", limit.suppressed()));
}

void report_success(const net::Connection& connection, const SSL* ssl, clock::Millis took) {
    count(kFirstEvent + Event::completed);
    if (!SSL_is_server(ssl)) count(kFirstEvent + Event::as_client);
    if (SSL_session_reused(ssl)) count(kFirstEvent + Event::resumed);
    const int version = SSL_version(ssl);
    count(kFirstEvent + (version == TLS1_3_VERSION   ? Event::tls13
                         : version == TLS1_2_VERSION ? Event::tls12
                                                     : Event::obsolete));
    const ContextFacts* const facts = facts_of(SSL_get_SSL_CTX(ssl));
    LOG(debug, "tls.handshake.done", kv("peer", connection.peer.text()), kv("profile", facts ? facts->profile : "-"),
        kv("version", SSL_get_version(ssl)), kv("cipher", SSL_get_cipher_name(ssl)),
        kv("resumed", SSL_session_reused(ssl)), kv("ms", took));
}

std::span<const Counter> handshake_counters() { return kCounters; }

}  // namespace kahu::tls
