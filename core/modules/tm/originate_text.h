// core/modules/tm/originate_text.h -- the text of requests that begin here, without Via: that is added when they leave.
//
// WHY    Pure.
// FAILS  write_request() says which part is wrong, as Kamailio's tm.t_uac_start does; write_ack() is false when the 2xx
//        has no Contact that can be read.
#pragma once
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/modules/tm/originate.h"

namespace kahu::tm {

Status write_request(const Origin& what, std::string& out);

struct AckParts {
    std::string uri;       // Request-URI
    std::string next_hop;  // first of the route set; empty: the Request-URI is
};
bool write_ack(const sip::Message& invite, const sip::Message& reply, AckParts& parts, std::string& out);

}  // namespace kahu::tm
