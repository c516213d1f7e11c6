// core/config/socket_text.h -- "tls:[::1]:5061": transport, host and port of a socket or alias, as text.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace kahu::config {

struct SocketText {
    std::string transport;                // lower case; empty: not given
    std::string host;                     // without brackets; "*" and "any": all addresses
    std::vector<std::string> more_hosts;  // "sctp:(10.0.0.1, 10.0.0.2):5060"
    int64_t port = 0;                     // 0: not given
};

// FAILS with what is wrong, without the place.
Result<SocketText> parse_socket_text(std::string_view text);

}  // namespace kahu::config
