// tls/alerts.h -- the alerts of TLS (RFC 8446 section 6, RFC 5246 section 7.2) and the names of their counters.
#pragma once
#include <cstddef>
#include <iterator>
#include <string_view>

namespace kahu::tls {

struct AlertRow {
    int number;
    std::string_view name, received, sent;
};
inline constexpr AlertRow kAlerts[] = {
    {0, "close notify", "alert_received_close_notify", "alert_sent_close_notify"},
    {10, "unexpected message", "alert_received_unexpected_message", "alert_sent_unexpected_message"},
    {20, "bad record mac", "alert_received_bad_record_mac", "alert_sent_bad_record_mac"},
    {21, "decryption failed", "alert_received_decryption_failed", "alert_sent_decryption_failed"},
    {22, "record overflow", "alert_received_record_overflow", "alert_sent_record_overflow"},
    {40, "handshake failure", "alert_received_handshake_failure", "alert_sent_handshake_failure"},
    {42, "bad certificate", "alert_received_bad_certificate", "alert_sent_bad_certificate"},
    {43, "unsupported certificate", "alert_received_unsupported_certificate", "alert_sent_unsupported_certificate"},
    {44, "certificate revoked", "alert_received_certificate_revoked", "alert_sent_certificate_revoked"},
    {45, "certificate expired", "alert_received_certificate_expired", "alert_sent_certificate_expired"},
    {46, "certificate unknown", "alert_received_certificate_unknown", "alert_sent_certificate_unknown"},
    {47, "illegal parameter", "alert_received_illegal_parameter", "alert_sent_illegal_parameter"},
    {48, "unknown ca", "alert_received_unknown_ca", "alert_sent_unknown_ca"},
    {49, "access denied", "alert_received_access_denied", "alert_sent_access_denied"},
    {50, "decode error", "alert_received_decode_error", "alert_sent_decode_error"},
    {51, "decrypt error", "alert_received_decrypt_error", "alert_sent_decrypt_error"},
    {70, "protocol version", "alert_received_protocol_version", "alert_sent_protocol_version"},
    {71, "insufficient security", "alert_received_insufficient_security", "alert_sent_insufficient_security"},
    {80, "internal error", "alert_received_internal_error", "alert_sent_internal_error"},
    {86, "inappropriate fallback", "alert_received_inappropriate_fallback", "alert_sent_inappropriate_fallback"},
    {90, "user canceled", "alert_received_user_canceled", "alert_sent_user_canceled"},
    {100, "no renegotiation", "alert_received_no_renegotiation", "alert_sent_no_renegotiation"},
    {109, "missing extension", "alert_received_missing_extension", "alert_sent_missing_extension"},
    {110, "unsupported extension", "alert_received_unsupported_extension", "alert_sent_unsupported_extension"},
    {112, "unrecognized name", "alert_received_unrecognized_name", "alert_sent_unrecognized_name"},
    {113, "bad certificate status response", "alert_received_bad_certificate_status_response",
     "alert_sent_bad_certificate_status_response"},
    {115, "unknown psk identity", "alert_received_unknown_psk_identity", "alert_sent_unknown_psk_identity"},
    {116, "certificate required", "alert_received_certificate_required", "alert_sent_certificate_required"},
    {120, "no application protocol", "alert_received_no_application_protocol", "alert_sent_no_application_protocol"},
};
inline constexpr size_t kAlertCount = std::size(kAlerts);

}  // namespace kahu::tls
