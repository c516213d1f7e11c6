// core/script/message_facts.h -- what operands, variables and functions all ask of a message.
#pragma once
#include <string_view>

#include "core/net/inbound.h"
#include "core/script/run.h"
#include "core/sip/method.h"

namespace kahu::script {

// Of a reply: the method in its CSeq.
sip::Method method_of(const sip::Message& message);
std::string_view method_name_of(const sip::Message& message);

// Kamailio's numbers: UDP 1, TCP 2, TLS 3.
constexpr int64_t transport_number(Transport transport) { return static_cast<int64_t>(transport) + 1; }

// The transport a URI asks for: its parameter, or TLS for sips, or UDP.  "" if it names one we do not know.
std::string_view uri_transport(const sip::Uri& uri);
// As $rP, $oP and $dP show it: what the URI says, as written; "UDP" or "TLS" if it says nothing.
std::string_view shown_transport(const sip::Uri& uri);
uint16_t uri_port(const sip::Uri& uri);  // or the default of its transport

bool is_myself(const sip::Uri& uri);

// At the start of a request: takes a maddr that names this server, with port and transport, out of the Request-URI.
void strip_own_maddr(Run& run);

// A name from a URI or header in a Uri of its own; nullptr if it is not a valid URI.  `into` keeps the result.
const sip::Uri* parse_into(std::string_view text, sip::Uri& into);

}  // namespace kahu::script
