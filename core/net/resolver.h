// core/net/resolver.h -- from a host in a URI to the ordered list of destinations (RFC 3263, RFC 2782).
//
// WHY    Numeric addresses and what is in the cache are answered at once; the rest is asked for while the process
//        goes on with other messages.  No worker ever waits for a name server.
// LIVES  Answers are cached in the segment for all processes, for their TTL; failures for dns_cache_negative_ttl.
//        Questions under way belong to the process that asked and are lost with it (a transaction's timer goes on).
//        A process has at most kMostUnderWay of them, and kMostKept bytes for them: who asks for more when name servers
//        are silent is told `failed` at once (dns.refused).
// FAILS  Resolution says how; logged here, rate-limited.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "core/net/destination.h"

namespace kahu::net {

inline constexpr size_t kMostUnderWay = 8192;
inline constexpr size_t kMostKept = size_t{32} << 20;

struct Question {
    std::string_view host;               // of the URI (or its maddr): name, IPv4, IPv6 with or without brackets
    uint16_t port = 0;                   // 0: not given
    std::optional<Transport> transport;  // ;transport=; nullopt: not given.  ;transport=tls is TLS, also with sip:
    bool sips = false;                   // only TLS will do (RFC 5630)
    // Makes the choice among servers of equal rank repeatable, as a stateless proxy must (RFC 3263 4.4); 0: random.
    uint64_t stable_choice = 0;
    std::string_view server_name = {};  // what TLS certificates must name; empty: host (differs with maddr)
    size_t keeps = 0;                   // bytes that who asks keeps until `later`: for the bound on all of them
};

struct Destinations {
    static constexpr size_t kMost = 16;
    std::array<Destination, kMost> at;
    size_t count = 0;
    std::span<const Destination> list() const { return {at.data(), count}; }
};

enum class Resolution : uint8_t {
    ready,      // at least one destination; try them in this order
    pending,    // `later` will be called, once, from this process's loop
    not_found,  // no such domain or no usable record: 404/478-like, do not retry
    failed,     // the name servers did not answer: 503-like
};

// `destinations` have no listener yet: choose_listener().  `later` is called only after pending; the Question's views
// need not live until then.
using OnResolved = std::function<void(Resolution, const Destinations&)>;
Resolution resolve(const Question& question, Destinations& out, OnResolved later);

}  // namespace kahu::net
