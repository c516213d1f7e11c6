// core/net/subdomains.h -- domains that are ours with everything below them (corex, alias_subdomains).
//
// LIVES  Process-private and read-only after start, as aliases().
#pragma once
#include <vector>

#include "core/net/listener.h"

namespace kahu::net {

std::vector<Alias>& subdomain_aliases();  // the domain itself, and all that end in "." and it

}  // namespace kahu::net
