// core/script/uri_edit.h -- changing one part of the Request-URI: $rU = "x", sethost("y"), strip(2).
//
// FAILS  When the current Request-URI is not a SIP URI, or the new part would not fit there.
#pragma once
#include <string_view>

#include "core/base/result.h"
#include "core/script/run.h"

namespace kahu::script {

enum class UriPart : unsigned char { user, user_and_password, host, host_and_port, port, host_port_transport };

// host_port_transport: "host:port;transport=tcp".  An empty text removes the part (the host cannot be removed).
Status set_request_uri_part(Run& run, UriPart part, std::string_view text);

}  // namespace kahu::script
