// core/net/reverse_lookup.h -- the names of this machine's own addresses, asked for once at start.
//
// WHY    getnameinfo() waits for a name server that is silent as long as resolv.conf says, address by address.
// LIVES  Before the first fork; keeps nothing.  Asks about all addresses at a time: /etc/hosts, then DNS.
// FAILS  No name for an address that has none, or that nobody answered about in time.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/base/address.h"
#include "core/base/clock.h"

namespace kahu::net {

struct ReverseNames {
    std::vector<std::string> names;  // in lower case, one for each address; "": none
    bool in_time = true;
};
ReverseNames names_of(std::span<const SocketAddress> addresses, clock::Millis patience);

}  // namespace kahu::net
