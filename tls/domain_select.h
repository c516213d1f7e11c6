// tls/domain_select.h -- which profile a connection gets.
//
// Order of preference, best first; among equals the one defined last, as Kamailio has it:
//   1. its server_id is the one asked for (client side: overrides all else)
//   2. its address matches and its server_name matches the SNI: exactly, then by subdomain
//   3. its address matches and it has no server_name
//   4. without SNI only: its very address (not `any`) matches, whatever its server_name
//   5. [server:default] or [client:default]
//   6. its address matches, whatever its server_name: only where there is no default profile
// Within 2 and 3 a profile of that address goes before `any`.  A server profile's address is compared with the
// local address; a client profile's with the peer's, then with the local one.  Port 0 matches every port.
//
// FAILS  -1: no profile of that side fits.  No allocation, no locks.
#pragma once
#include <span>
#include <string_view>

#include "tls/domain.h"

namespace kahu::tls {

struct Wanted {
    Side side = Side::server;
    SocketAddress local, peer;
    std::string_view server_name;  // SNI; empty: none
    std::string_view server_id;    // client side; empty: none
};
int select_profile(std::span<const ProfileKey> profiles, const Wanted& wanted);

// RFC 6066: names are ASCII and compared without case; a trailing dot is not part of the name.
bool server_name_matches(std::string_view pattern, ServerNameMode mode, std::string_view sni);

}  // namespace kahu::tls
