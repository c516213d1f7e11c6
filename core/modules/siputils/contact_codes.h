// core/modules/siputils/contact_codes.h -- Contact URIs hidden in URIs of ours, and taken out again: a peer behind the
// server is reached through it, and neither side sees the other's address.
//
// RULES  encode_contact(): sip:prefix*user*password*host*port*transport@ours, other parameters are lost;
//        contact_param_encode(): the whole URI, in base64url, as a parameter of ours.
// FAILS  What does not decode to a SIP URI is left as it was.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::siputils {

std::span<const Function> contact_functions();
extern const Param kContactSeparator;

}  // namespace kahu::siputils
