#include "core/script/message_facts.h"

#include "core/base/text.h"
#include "core/net/listener.h"

namespace kahu::script {

sip::Method method_of(const sip::Message& message) {
    if (message.is_request()) return message.method();
    const sip::CSeq* cseq = message.cseq();
    return cseq == nullptr ? sip::Method::other : cseq->method;
}

std::string_view method_name_of(const sip::Message& message) {
    if (message.is_request()) return message.method_name();
    const sip::CSeq* cseq = message.cseq();
    return cseq == nullptr ? std::string_view() : cseq->method_name;
}

std::string_view uri_transport(const sip::Uri& uri) {
    if (!uri.transport.empty()) {
        const auto named = transport_named(uri.transport);
        return named ? name_of(*named) : std::string_view();
    }
    return uri.scheme == sip::Scheme::sips ? "tls" : "udp";
}

std::string_view shown_transport(const sip::Uri& uri) {
    if (!uri.transport.empty()) return uri.transport;
    return uri.scheme == sip::Scheme::sips ? "TLS" : "UDP";
}

uint16_t uri_port(const sip::Uri& uri) {
    if (uri.port != 0) return uri.port;
    const auto named = transport_named(uri_transport(uri));
    return default_port(named.value_or(Transport::udp));
}

bool is_myself(const sip::Uri& uri) {
    if (!uri.is_sip()) return false;
    const auto named = uri.transport.empty() ? std::nullopt : transport_named(uri.transport);
    return net::is_myself(uri.bare_host(), uri.port, named ? &*named : nullptr);
}

const sip::Uri* parse_into(std::string_view text, sip::Uri& into) {
    sip::Bad bad;
    return sip::parse_uri(text, into, bad) ? &into : nullptr;
}

}  // namespace kahu::script
