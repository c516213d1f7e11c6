// core/modules/tm/local_request.h -- CANCEL and ACK, made from an INVITE as it was sent (RFC 3261 9.1, 17.1.1.3).
//
// LIVES  Appends to a string of the caller's.
// FAILS  False when the INVITE cannot be read, which would be our own mistake.
#pragma once
#include <string>
#include <string_view>

#include "core/sip/message.h"

namespace kahu::tm {

// `reason`: a whole Reason header line with its CRLF, or empty.
bool build_cancel(std::string_view invite, std::string_view reason, std::string& out);
// `to`: value of the To header of the reply that is acknowledged.
bool build_ack(std::string_view invite, std::string_view to, std::string& out);

}  // namespace kahu::tm
