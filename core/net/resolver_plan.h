// core/net/resolver_plan.h -- RFC 3263 as a function of what is known.
//
// WHY    The procedure (NAPTR, then SRV, then addresses) is one pure function that is called again when more answers
//        are there; so it can be tested with a table, and no state machine keeps half of it.
// LIVES  No state, no I/O.
#pragma once
#include <vector>

#include "core/net/dns_records.h"
#include "core/net/resolver.h"

namespace kahu::net {

// The answer to a key, or nullptr if it must be asked for.
using KnownAnswer = std::function<const DnsAnswer*(const DnsKey&)>;

// What can be sent at all.
struct Reach {
    bool transport[3] = {};  // by Transport: there is a listener
    bool v4 = true, v6 = false;
    bool naptr = false;
    bool can(Transport t) const { return transport[static_cast<int>(t)]; }
};

// pending: `missing` holds all that can be asked for now.
Resolution plan_destinations(const Question& question, const Reach& reach, const KnownAnswer& known,
                             std::vector<DnsKey>& missing, Destinations& out);

// Puts records of equal priority into the order RFC 2782 prescribes, by draws from `random`.
void order_by_weight(std::vector<DnsRecord>& services, const std::function<uint32_t(uint32_t below)>& random);

}  // namespace kahu::net
