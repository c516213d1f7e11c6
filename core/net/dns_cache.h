// core/net/dns_cache.h -- answers of name servers, shared by all processes.
//
// WHY    One process's look-up serves all; and a name that does not exist is not asked for again with each message.
// LIVES  A part of the segment: kSets sets of kWays entries, fixed size.  Pages that are never used cost nothing.
// LOCKS  One robust lock per set, held for one copy.  A set whose writer died is emptied.
// RULES  An entry lives for its TTL, bounded by dns_cache_min_ttl and dns_cache_max_ttl; in a full set the one that
//        expires first gives way.
#pragma once
#include "core/net/dns_records.h"

namespace kahu::net {

size_t dns_cache_bytes();
void construct_dns_cache(void* at, size_t bytes);

// False: not there, or expired, or there is no cache.
bool cached_answer(const DnsKey& key, DnsAnswer& out);
void cache_answer(const DnsKey& key, const DnsAnswer& answer);
void clear_dns_cache();

}  // namespace kahu::net
