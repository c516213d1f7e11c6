// dns.*: the cache of name servers' answers (core/net/dns_cache.h): shown, asked, added to, deleted from.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/text.h"
#include "core/net/dns_cache.h"
#include "core/net/dns_client.h"
#include "core/net/dns_settings.h"
#include "rpc/commands.h"

namespace kahu::rpc {
namespace {

using net::CachedName;
using net::DnsAnswer;
using net::DnsKey;
using net::DnsRecord;
using net::RecordType;

struct TypeName {
    std::string_view name;
    RecordType type;
    int number;  // as in a question
};
constexpr TypeName kTypes[] = {{"A", RecordType::a, 1},
                               {"AAAA", RecordType::aaaa, 28},
                               {"SRV", RecordType::srv, 33},
                               {"NAPTR", RecordType::naptr, 35}};
const TypeName& name_of(RecordType type) { return kTypes[static_cast<int>(type)]; }

constexpr int kNegative = 1, kPermanent = 2;  // flags of dns.add_*, shown by dns.debug

bool is_negative(const CachedName& one) { return one.answer.kind != DnsAnswer::Kind::records; }
int64_t seconds_left(const CachedName& one) {
    return one.permanent ? 0 : std::max<int64_t>(0, (one.answer.expires - clock::read()) / 1000);
}
int64_t seconds_unused(const CachedName& one) { return std::max<int64_t>(0, (clock::read() - one.last_used) / 1000); }
int64_t entry_bytes() { return static_cast<int64_t>(net::dns_cache_entry_bytes()); }

// False after the fault.
bool cache_in_use(RpcCall& call) {
    if (net::dns_settings.use_cache != 0) return true;
    call.fault(500, "dns cache support disabled (see use_dns_cache)");
    return false;
}

// --- shown -------------------------------------------------------------------------------------------------

RpcStruct describe_record(const CachedName& one, int index) {
    const DnsRecord& record = one.answer.record[static_cast<size_t>(index)];
    RpcStruct fields{{"rr_idx", index}};
    switch (one.key.type) {
    case RecordType::a:
    case RecordType::aaaa: fields.emplace_back("rr_ip", record.address.ip()); break;
    case RecordType::srv:
        fields.emplace_back("rr_name", std::string(record.target));
        fields.emplace_back("rr_port", int{record.port});
        fields.emplace_back("rr_priority", int{record.priority});
        fields.emplace_back("rr_weight", int{record.weight});
        break;
    case RecordType::naptr: {
        static constexpr std::array<const char*, 3> service = {"SIP+D2U", "SIP+D2T", "SIPS+D2T"};
        fields.emplace_back("rr_order", int{record.priority});
        fields.emplace_back("rr_preference", int{record.weight});
        fields.emplace_back("rr_flags", "s");  // others are not kept
        fields.emplace_back("rr_service", service[static_cast<size_t>(record.transport)]);
        fields.emplace_back("rr_regexp", "");
        fields.emplace_back("rr_replacement", std::string(record.target));
        break;
    }
    }
    fields.emplace_back("rr_permanent", one.permanent ? "yes" : "no");
    fields.emplace_back("rr_expires", seconds_left(one));
    return fields;
}

RpcStruct describe(const CachedName& one) {
    RpcStruct fields{{"name", one.key.name},
                     {"type", name_of(one.key.type).name},
                     {"size_bytes", entry_bytes()},
                     {"reference_counter", 1},
                     {"permanent", one.permanent ? "yes" : "no"},
                     {"expires", seconds_left(one)},
                     {"last_used", seconds_unused(one)},
                     {"negative_entry", is_negative(one) ? "yes" : "no"}};
    if (is_negative(one)) return fields;
    RpcArray records;
    for (int i = 0; i < one.answer.count; ++i) records.emplace_back(describe_record(one, i));
    fields.emplace_back("records", std::move(records));
    return fields;
}

void view(RpcCall& call) {
    const auto count = call.next_int_or(-1);
    if (!count) return;
    const auto offset = call.next_int_or(0);
    if (!offset || !cache_in_use(call)) return;
    int64_t skip = std::max<int64_t>(0, *offset), left = *count < 0 ? INT64_MAX : *count;
    net::for_each_cached([&](const CachedName& one) {
        if (left == 0 || skip-- > 0) return;
        --left;
        call.add(describe(one));
    });
}

// Kamailio's list of bare values: an entry's own, then (with records) those of each record.
void add_bare(RpcCall& call, const CachedName& one, std::optional<int> record) {
    call.add(one.key.name);
    call.add(name_of(one.key.type).number);
    if (record) call.add(*record);
    call.add(entry_bytes());
    call.add(1);
    call.add(seconds_left(one));
    call.add(seconds_unused(one));
    call.add((is_negative(one) ? kNegative : 0) | (one.permanent ? kPermanent : 0));
}
void debug(RpcCall& call) {
    if (cache_in_use(call)) net::for_each_cached([&](const CachedName& one) { add_bare(call, one, std::nullopt); });
}
void debug_all(RpcCall& call) {
    if (!cache_in_use(call)) return;
    net::for_each_cached([&](const CachedName& one) {
        for (int i = 0; i < one.answer.count; ++i) {
            const DnsRecord& record = one.answer.record[static_cast<size_t>(i)];
            const bool address = one.key.type == RecordType::a || one.key.type == RecordType::aaaa;
            add_bare(call, one, i);
            call.add(address ? "ip" : one.key.type == RecordType::srv ? "srv" : "naptr");
            call.add(address ? record.address.ip() : std::string(record.target));
            call.add(seconds_left(one));
        }
    });
}

void mem_info(RpcCall& call) {
    if (!cache_in_use(call)) return;
    int64_t entries = 0;
    net::for_each_cached([&](const CachedName&) { ++entries; });
    call.add(entries * entry_bytes());
    call.add(net::dns_cache_bytes());
}

// --- asked -------------------------------------------------------------------------------------------------

std::optional<DnsKey> next_key(RpcCall& call, RecordType type) {
    const auto name = call.next_text();
    if (!name) return std::nullopt;
    DnsKey key = net::dns_key(type, *name);
    if (!key.name.empty() && key.name.size() <= 255) return key;
    call.fault(400, fmt::format("a name has 1 to 255 octets, this one {}", key.name.size()));
    return std::nullopt;
}

void lookup(RpcCall& call) {
    if (!call.has_texts(2)) return;
    const auto wanted = call.next_text();
    if (!wanted) return;
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const TypeName& t) { return text::iequals(t.name, *wanted); });
    if (type == std::end(kTypes)) return call.fault(400, "Invalid type: A, AAAA, SRV and NAPTR are kept");
    const auto key = next_key(call, type->type);
    if (!key || !cache_in_use(call)) return;
    CachedName found{*key, {}, false, clock::read()};
    if (!net::find_cached(*key, found)) {
        found.answer = net::ask_dns_and_wait(*key);
        if (found.answer.kind == DnsAnswer::Kind::failed) return call.fault(500, "no name server answered");
    }
    if (is_negative(found)) return call.fault(400, "Not found");
    call.add(describe(found));
}

// --- changed -----------------------------------------------------------------------------------------------

// An integer of 16 bits, or the fault.
std::optional<uint16_t> next_u16(RpcCall& call, const char* what) {
    const auto value = call.next_int();
    if (!value) return std::nullopt;
    if (*value >= 0 && *value <= UINT16_MAX) return static_cast<uint16_t>(*value);
    call.fault(400, fmt::format("{} is from 0 to 65535, not {}", what, *value));
    return std::nullopt;
}

constexpr int64_t kLongestTtl = INT32_MAX;  // RFC 2181 section 8

// What all dns.add_* take besides the record: name and lifetime before, flags behind it.
void add(RpcCall& call, RecordType type, std::optional<DnsRecord> (*next_record)(RpcCall&, RecordType)) {
    const auto key = next_key(call, type);
    if (!key) return;
    const auto ttl = call.next_int();
    if (!ttl) return;
    if (*ttl < 0 || *ttl > kLongestTtl)
        return call.fault(400, fmt::format("a time to live is from 0 to {} seconds, not {}", kLongestTtl, *ttl));
    const auto record = next_record(call, type);
    if (!record) return;
    const auto flags = call.next_int();
    if (!flags || !cache_in_use(call)) return;
    if ((*flags & ~(kNegative | kPermanent)) != 0)
        return call.fault(400, fmt::format("flags are 1 (there is no such record) and 2 (permanent), not {}", *flags));
    const bool negative = (*flags & kNegative) != 0, permanent = (*flags & kPermanent) != 0;
    if (!net::add_to_dns_cache(*key, negative ? nullptr : &*record, *ttl * 1000, permanent))
        call.fault(400, fmt::format("Failed to add the entry to the cache: it has {} records already, or its place is "
                                    "taken by permanent entries",
                                    DnsAnswer::kMostRecords));
}

std::optional<DnsRecord> next_address(RpcCall& call, RecordType type) {
    const auto ip = call.next_text();
    if (!ip) return std::nullopt;
    const auto address = SocketAddress::parse_ip(*ip);
    if (address && address->is_v6() == (type == RecordType::aaaa)) return DnsRecord{.address = *address};
    call.fault(400, fmt::format("Failed to add the entry to the cache: \"{}\" is not an IPv{} address",
                                text::printable(*ip, 60), type == RecordType::aaaa ? 6 : 4));
    return std::nullopt;
}
std::optional<DnsRecord> next_service(RpcCall& call, RecordType) {
    DnsRecord record;
    const auto priority = next_u16(call, "the priority");
    if (!priority) return std::nullopt;
    const auto weight = next_u16(call, "the weight");
    if (!weight) return std::nullopt;
    const auto port = next_u16(call, "the port");
    if (!port) return std::nullopt;
    const auto target = next_key(call, RecordType::a);
    if (!target) return std::nullopt;
    record.priority = *priority;
    record.weight = *weight;
    record.port = *port;
    target->name.copy(record.target, sizeof record.target - 1);
    return record;
}

void add_a(RpcCall& call) { add(call, RecordType::a, next_address); }
void add_aaaa(RpcCall& call) { add(call, RecordType::aaaa, next_address); }
void add_srv(RpcCall& call) { add(call, RecordType::srv, next_service); }

template <RecordType type>
void forget(RpcCall& call) {
    const auto key = next_key(call, type);
    if (key && cache_in_use(call) && !net::forget_cached(*key)) call.fault(400, "Not found");
}
// Records of that type are never in the cache: of CNAMEs the addresses behind them are, of others nothing is asked for.
void forget_other(RpcCall& call) {
    if (next_key(call, RecordType::a) && cache_in_use(call)) call.fault(400, "Not found");
}
void clear(RpcCall& call, bool permanent_too) {
    if (!cache_in_use(call)) return;
    net::clear_dns_cache(permanent_too);
    call.add(RpcStruct{{"status", "ok"}});
}
void delete_all(RpcCall& call) { clear(call, false); }
void delete_all_force(RpcCall& call) { clear(call, true); }

constexpr const char* kNotKept = "Deletes a record of a type that is not kept: answers \"Not found\".";

constexpr Command kCommands[] = {
    {"dns.view", "[count [offset]]", "Lists the names in the cache: at most count of them, after the first offset.",
     view},
    {"dns.debug", "", "Lists the names in the cache as bare values.", debug},
    {"dns.debug_all", "", "Lists the records in the cache as bare values.", debug_all},
    {"dns.mem_info", "", "Returns the bytes of the cache that are in use, and of all of it.", mem_info},
    {"dns.lookup", "A|AAAA|SRV|NAPTR name",
     "Returns the records of a name, from the cache or else from a name server; other commands wait for it, at most 5 "
     "seconds.",
     lookup},
    {"dns.add_a", "name ttl ip flags", "Adds an address to the cache. Flags: 1 there is none, 2 permanent.", add_a},
    {"dns.add_aaaa", "name ttl ip flags", "Adds an IPv6 address to the cache. Flags: 1 there is none, 2 permanent.",
     add_aaaa},
    {"dns.add_srv", "name ttl priority weight port target flags",
     "Adds an SRV record to the cache. Flags: 1 there is none, 2 permanent.", add_srv},
    {"dns.delete_a", "name", "Deletes the addresses of a name from the cache.", forget<RecordType::a>},
    {"dns.delete_aaaa", "name", "Deletes the IPv6 addresses of a name from the cache.", forget<RecordType::aaaa>},
    {"dns.delete_srv", "name", "Deletes the SRV records of a name from the cache.", forget<RecordType::srv>},
    {"dns.delete_naptr", "name", "Deletes the NAPTR records of a name from the cache.", forget<RecordType::naptr>},
    {"dns.delete_cname", "name", kNotKept, forget_other},
    {"dns.delete_ebl", "name", kNotKept, forget_other},
    {"dns.delete_ptr", "name", kNotKept, forget_other},
    {"dns.delete_txt", "name", kNotKept, forget_other},
    {"dns.delete_all", "", "Empties the cache but for permanent entries.", delete_all},
    {"dns.delete_all_force", "", "Empties the cache.", delete_all_force},
};

}  // namespace

std::span<const Command> dns_commands() { return kCommands; }

}  // namespace kahu::rpc
