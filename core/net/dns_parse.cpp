#include "core/net/dns_parse.h"

#include <ares.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/base/text.h"
#include "core/net/dns_settings.h"

namespace kahu::net {
namespace {

using Octets = std::span<const unsigned char>;

constexpr size_t kHeaderBytes = 12;
constexpr int kMostAddresses = static_cast<int>(DnsAnswer::kMostRecords);

struct FreeData {
    void operator()(void* data) const { ares_free_data(data); }
};

unsigned number(Octets in, size_t at, size_t bytes) {
    unsigned value = 0;
    for (size_t i = 0; i < bytes; ++i) value = value << 8 | in[at + i];
    return value;
}

// Behind the name at `at`; 0: malformed.  Names are not followed: a compression pointer ends one.
size_t skip_name(Octets in, size_t at) {
    while (at < in.size()) {
        const unsigned length = in[at];
        if (length == 0) return at + 1;
        if ((length & 0xc0) == 0xc0) return at + 2;
        if ((length & 0xc0) != 0) return 0;
        at += 1 + length;
    }
    return 0;
}

bool copy_name(std::string_view name, char (&into)[256]) {
    if (name.size() >= sizeof into) return false;
    for (size_t i = 0; i < name.size(); ++i) into[i] = text::lower(name[i]);
    into[name.size()] = '\0';
    return true;
}

void add_addresses(RecordType type, Octets in, DnsAnswer& out) {
    const int size = static_cast<int>(in.size());
    int count = kMostAddresses;
    if (type == RecordType::a) {
        ares_addrttl found[kMostAddresses];
        if (ares_parse_a_reply(in.data(), size, nullptr, found, &count) != ARES_SUCCESS) return;
        for (int i = 0; i < count; ++i) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_addr = found[i].ipaddr;
            out.add({.address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&address))});
        }
        return;
    }
    ares_addr6ttl found[kMostAddresses];
    if (ares_parse_aaaa_reply(in.data(), size, nullptr, found, &count) != ARES_SUCCESS) return;
    for (int i = 0; i < count; ++i) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        std::memcpy(&address.sin6_addr, &found[i].ip6addr, sizeof address.sin6_addr);
        out.add({.address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&address))});
    }
}

void add_services(Octets in, DnsAnswer& out) {
    ares_srv_reply* list = nullptr;
    const int parsed = ares_parse_srv_reply(in.data(), static_cast<int>(in.size()), &list);
    const std::unique_ptr<ares_srv_reply, FreeData> owner(list);
    if (parsed != ARES_SUCCESS) return;
    for (const ares_srv_reply* at = list; at != nullptr; at = at->next) {
        DnsRecord record{.priority = at->priority, .weight = at->weight, .port = at->port};
        if (copy_name(at->host, record.target)) out.add(record);
    }
}

struct Service {
    std::string_view name;
    Transport transport;
};
constexpr Service kServices[] = {
    {"SIP+D2U", Transport::udp}, {"SIP+D2T", Transport::tcp}, {"SIPS+D2T", Transport::tls}};

void add_pointers(Octets in, DnsAnswer& out) {
    ares_naptr_reply* list = nullptr;
    const int parsed = ares_parse_naptr_reply(in.data(), static_cast<int>(in.size()), &list);
    const std::unique_ptr<ares_naptr_reply, FreeData> owner(list);
    if (parsed != ARES_SUCCESS) return;
    const auto as_text = [](const unsigned char* s) { return std::string_view(reinterpret_cast<const char*>(s)); };
    for (const ares_naptr_reply* at = list; at != nullptr; at = at->next) {
        if (!text::iequals(as_text(at->flags), "s")) continue;  // RFC 3263 4.1: only those lead to SRV records
        for (const Service& service : kServices) {
            if (!text::iequals(as_text(at->service), service.name)) continue;
            DnsRecord record{.priority = at->order, .weight = at->preference, .transport = service.transport};
            if (copy_name(at->replacement, record.target)) out.add(record);
        }
    }
}

}  // namespace

DnsKey dns_key(RecordType type, std::string_view name) {
    if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
    return {type, text::lowered(name)};
}

std::optional<uint32_t> smallest_ttl(Octets in) {
    if (in.size() < kHeaderBytes) return std::nullopt;
    size_t at = kHeaderBytes;
    for (unsigned left = number(in, 4, 2); left != 0; --left) {
        at = skip_name(in, at);
        if (at == 0 || at + 4 > in.size()) return std::nullopt;
        at += 4;
    }
    std::optional<uint32_t> smallest;
    for (unsigned left = number(in, 6, 2); left != 0; --left) {
        at = skip_name(in, at);
        if (at == 0 || at + 10 > in.size()) return std::nullopt;
        const uint32_t ttl = number(in, at + 4, 4);
        smallest = std::min(smallest.value_or(ttl), ttl);
        at += 10 + number(in, at + 8, 2);
        if (at > in.size()) return std::nullopt;
    }
    return smallest;
}

DnsAnswer no_records(clock::Millis now) {
    DnsAnswer answer;
    answer.kind = DnsAnswer::Kind::nothing;
    answer.expires = now + dns_settings.cache_negative_ttl * 1000;
    return answer;
}

DnsAnswer parse_dns_answer(RecordType type, Octets in, clock::Millis now) {
    DnsAnswer answer;
    switch (type) {
    case RecordType::a:
    case RecordType::aaaa: add_addresses(type, in, answer); break;
    case RecordType::srv: add_services(in, answer); break;
    case RecordType::naptr: add_pointers(in, answer); break;
    }
    if (answer.count == 0) return no_records(now);
    answer.kind = DnsAnswer::Kind::records;
    const int64_t ttl =
        std::clamp<int64_t>(smallest_ttl(in).value_or(0), dns_settings.cache_min_ttl,
                            std::max(dns_settings.cache_max_ttl.get(), dns_settings.cache_min_ttl.get()));
    answer.expires = now + ttl * 1000;
    return answer;
}

}  // namespace kahu::net
