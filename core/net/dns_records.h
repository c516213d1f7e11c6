// core/net/dns_records.h -- the answers of name servers, as far as SIP uses them (RFC 3263, RFC 2782, RFC 3403).
//
// LIVES  Plain values; a whole answer is copied in and out of the cache.
// RULES  Bounded: records beyond kMostRecords and names beyond 255 octets are left out.  What an answer says is hostile
//        input until it was parsed here.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/address.h"
#include "core/base/clock.h"

namespace kahu::net {

enum class RecordType : uint8_t { a, aaaa, srv, naptr };

struct DnsRecord {
    uint16_t priority = 0, weight = 0, port = 0;  // SRV; NAPTR: order, preference
    Transport transport = Transport::udp;         // NAPTR
    SocketAddress address;                        // A, AAAA
    char target[256] = {};                        // SRV: host; NAPTR: the name to ask SRV records of
};

struct DnsAnswer {
    static constexpr size_t kMostRecords = 12;
    enum class Kind : uint8_t {
        records,
        nothing,  // the name or the record type does not exist (negative cache)
        failed,   // no server answered
    };
    Kind kind = Kind::failed;
    uint8_t count = 0;
    clock::Millis expires = 0;
    std::array<DnsRecord, kMostRecords> record;

    bool add(const DnsRecord& r) {
        if (count == kMostRecords) return false;
        record[count++] = r;
        return true;
    }
};

struct DnsKey {
    RecordType type = RecordType::a;
    std::string name;  // lower case, no final dot
    bool operator==(const DnsKey&) const = default;
    bool operator<(const DnsKey& other) const { return type != other.type ? type < other.type : name < other.name; }
};
DnsKey dns_key(RecordType type, std::string_view name);

}  // namespace kahu::net
