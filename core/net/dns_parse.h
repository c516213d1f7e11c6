// core/net/dns_parse.h -- a name server's answer, octets as received, into records.
//
// FAILS  Malformed answers are DnsAnswer::Kind::nothing: the server spoke, and there is nothing in it for us.
#pragma once
#include <span>

#include "core/net/dns_records.h"

namespace kahu::net {

// `now`: what the expiry counts from.
DnsAnswer parse_dns_answer(RecordType type, std::span<const unsigned char> octets, clock::Millis now);
// The smallest TTL of the answer section, in seconds; nullopt: none, or malformed.
std::optional<uint32_t> smallest_ttl(std::span<const unsigned char> octets);
// "records do not exist", for dns_cache_negative_ttl.
DnsAnswer no_records(clock::Millis now);

}  // namespace kahu::net
