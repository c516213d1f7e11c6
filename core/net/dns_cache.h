// core/net/dns_cache.h -- answers of name servers, shared by all processes.
//
// WHY    One process's look-up serves all; and a name that does not exist is not asked for again with each message.
// LIVES  A part of the segment: kSets sets of kWays entries, fixed size.  Pages that are never used cost nothing.
// LOCKS  One robust lock per set, held for one copy.  A set whose writer died is emptied.
// RULES  An entry lives for its TTL, bounded by dns_cache_min_ttl and dns_cache_max_ttl; in a full set the one that
//        expires first gives way.  What an administrator added as permanent stays until it is deleted.
#pragma once
#include <functional>

#include "core/net/dns_records.h"

namespace kahu::net {

size_t dns_cache_bytes();
void construct_dns_cache(void* at, size_t bytes);

// False: not there, or expired, or there is no cache.
bool cached_answer(const DnsKey& key, DnsAnswer& out);
void cache_answer(const DnsKey& key, const DnsAnswer& answer);

// --- what administrators see and do (dns.*) --------------------------------------------------------------
struct CachedName {
    DnsKey key;
    DnsAnswer answer;
    bool permanent = false;
    clock::Millis last_used = 0;
};
constexpr clock::Millis kNeverExpires = INT64_MAX;

// `see` runs without a lock; names that come or go meanwhile are seen or not.
void for_each_cached(const std::function<void(const CachedName&)>& see);
bool find_cached(const DnsKey& key, CachedName& out);  // as cached_answer(), but no use of it
// A record more for that name, or (nullptr) "there is none".  False: the name is too long, has its kMostRecords
// already, or all places where it could be are held by permanent entries.
bool add_to_dns_cache(const DnsKey& key, const DnsRecord* record, clock::Millis lifetime, bool permanent);
bool forget_cached(const DnsKey& key);  // false: it is not there
void clear_dns_cache(bool permanent_too = true);
size_t dns_cache_entry_bytes();

}  // namespace kahu::net
