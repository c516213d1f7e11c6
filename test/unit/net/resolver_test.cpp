// RFC 3263 and RFC 2782 as tables: what is known, what is asked for, what comes out.
#include <gtest/gtest.h>

#include <map>

#include "core/net/dns_cache.h"
#include "core/net/dns_parse.h"
#include "core/net/resolver_plan.h"
#include "mem/segment.h"
#include "mem/slot.h"

namespace kahu::net {
namespace {

DnsRecord srv(uint16_t priority, uint16_t weight, uint16_t port, const char* target) {
    DnsRecord record{.priority = priority, .weight = weight, .port = port};
    std::snprintf(record.target, sizeof record.target, "%s", target);
    return record;
}
DnsRecord naptr(uint16_t order, kahu::Transport transport, const char* target) {
    DnsRecord record{.priority = order, .transport = transport};
    std::snprintf(record.target, sizeof record.target, "%s", target);
    return record;
}
DnsRecord address(const char* ip) { return {.address = *SocketAddress::parse_ip(ip)}; }

// A zone; what is not in it does not exist.
class Zone {
  public:
    Zone& with(RecordType type, const char* name, std::initializer_list<DnsRecord> records) {
        DnsAnswer answer;
        answer.kind = DnsAnswer::Kind::records;
        for (const DnsRecord& r : records) answer.add(r);
        answers_[dns_key(type, name)] = answer;
        return *this;
    }
    // Plays the rounds of asking until the plan is complete.
    std::string resolve(const Question& question, const Reach& reach) {
        std::map<DnsKey, DnsAnswer> told;
        std::vector<DnsKey> missing;
        Destinations out;
        for (rounds = 0; rounds < 10; ++rounds) {
            const auto known = [&](const DnsKey& key) {
                const auto at = told.find(key);
                return at == told.end() ? nullptr : &at->second;
            };
            last = plan_destinations(question, reach, known, missing, out);
            if (last != Resolution::pending) break;
            EXPECT_FALSE(missing.empty());
            for (const DnsKey& key : missing) {
                const auto at = answers_.find(key);
                told[key] = at == answers_.end() ? no_records(0) : at->second;
            }
        }
        std::string text;
        for (const Destination& to : out.list())
            text += (text.empty() ? "" : " ") + std::string(name_of(to.transport)) + ":" + to.address.text();
        return text;
    }
    Resolution last = Resolution::failed;
    int rounds = 0;

  private:
    std::map<DnsKey, DnsAnswer> answers_;
};

Zone example() {
    Zone zone;
    zone.with(RecordType::naptr, "example.com",
              {naptr(20, Transport::udp, "_sip._udp.example.com"), naptr(10, Transport::tls, "_sips._tcp.example.com"),
               naptr(30, Transport::tcp, "_sip._tcp.example.com")});
    zone.with(RecordType::srv, "_sips._tcp.example.com",
              {srv(20, 0, 5061, "two.example.com"), srv(10, 0, 5071, "one.example.com")});
    zone.with(RecordType::srv, "_sip._tcp.example.com", {srv(10, 0, 5060, "one.example.com")});
    zone.with(RecordType::srv, "_sip._udp.example.com", {srv(10, 0, 5080, "one.example.com")});
    zone.with(RecordType::a, "one.example.com", {address("10.0.0.1")});
    zone.with(RecordType::a, "two.example.com", {address("10.0.0.2"), address("10.0.0.3")});
    zone.with(RecordType::aaaa, "two.example.com", {address("2001:db8::2")});
    zone.with(RecordType::a, "plain.example", {address("10.0.0.9")});
    zone.with(RecordType::srv, "_sip._udp.gone.example", {srv(0, 0, 0, ".")});
    zone.with(RecordType::a, "gone.example", {address("10.0.0.8")});
    return zone;
}

constexpr Reach kAll{.transport = {true, true, true}, .v4 = true, .v6 = false, .naptr = true};
constexpr Reach kNoNaptr{.transport = {true, true, true}, .v4 = true, .v6 = false, .naptr = false};
constexpr Reach kBoth{.transport = {true, true, true}, .v4 = true, .v6 = true, .naptr = true};
constexpr Reach kPlain{.transport = {true, true, false}, .v4 = true, .v6 = false, .naptr = true};

struct Case {
    const char* name;
    const char* host;
    uint16_t port;
    std::optional<kahu::Transport> transport;
    bool sips;
    Reach reach;
    const char* expected;  // "": none
};
const Case kCases[] = {
    {"numeric", "10.1.1.1", 0, {}, false, kAll, "udp:10.1.1.1:5060"},
    {"numeric_v6", "[2001:db8::1]", 0, Transport::tcp, false, kAll, "tcp:[2001:db8::1]:5060"},
    {"numeric_tls", "10.1.1.1", 0, Transport::tls, false, kAll, "tls:10.1.1.1:5061"},
    {"numeric_port", "10.1.1.1", 5099, Transport::tcp, false, kAll, "tcp:10.1.1.1:5099"},
    {"UR_01_sips_numeric_udp_is_tls", "10.1.1.1", 0, Transport::udp, true, kAll, "tls:10.1.1.1:5061"},
    {"port_means_no_services", "plain.example", 5066, {}, false, kAll, "udp:10.0.0.9:5066"},
    {"PX_25_naptr_orders_transports",
     "example.com",
     0,
     {},
     false,
     kAll,
     "tls:10.0.0.1:5071 tls:10.0.0.2:5061 tls:10.0.0.3:5061 udp:10.0.0.1:5080 tcp:10.0.0.1:5060"},
    {"PX_25_v6_behind_v4", "example.com", 0, Transport::tls, false, kBoth,
     "tls:10.0.0.1:5071 tls:10.0.0.2:5061 tls:10.0.0.3:5061 tls:[2001:db8::2]:5061"},
    {"PX_26_sips_takes_only_tls",
     "example.com",
     0,
     {},
     true,
     kAll,
     "tls:10.0.0.1:5071 tls:10.0.0.2:5061 tls:10.0.0.3:5061"},
    {"PX_26_sips_without_records_is_5061", "plain.example", 0, {}, true, kAll, "tls:10.0.0.9:5061"},
    {"sips_without_tls_listener", "example.com", 0, {}, true, kPlain, ""},
    {"transport_given_asks_its_service", "example.com", 0, Transport::tcp, false, kAll, "tcp:10.0.0.1:5060"},
    {"unreachable_transports_are_left_out", "example.com", 0, {}, false, kPlain, "udp:10.0.0.1:5080 tcp:10.0.0.1:5060"},
    {"without_naptr_all_services",
     "example.com",
     0,
     {},
     false,
     kNoNaptr,
     "udp:10.0.0.1:5080 tcp:10.0.0.1:5060 tls:10.0.0.1:5071 tls:10.0.0.2:5061 tls:10.0.0.3:5061"},
    {"addresses_last", "plain.example", 0, {}, false, kAll, "udp:10.0.0.9:5060"},
    {"srv_dot_means_not_offered", "gone.example", 0, Transport::udp, false, kAll, ""},
    {"unknown_name", "nowhere.example", 0, {}, false, kAll, ""},
};
class Rfc3263 : public testing::TestWithParam<Case> {};
TEST_P(Rfc3263, FindsDestinationsInOrder) {
    const Case& c = GetParam();
    Zone zone = example();
    EXPECT_EQ(zone.resolve({.host = c.host, .port = c.port, .transport = c.transport, .sips = c.sips}, c.reach),
              c.expected);
    EXPECT_EQ(zone.last, *c.expected ? Resolution::ready : Resolution::not_found);
    EXPECT_LE(zone.rounds, 3);  // NAPTR, SRV, addresses: each asked for together
}
INSTANTIATE_TEST_SUITE_P(Table, Rfc3263, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Rfc3263, KeepsTheNameForTls) {
    Destinations out;
    std::vector<DnsKey> missing;
    ASSERT_EQ(plan_destinations(
                  {.host = "10.0.0.1", .sips = true, .server_name = "sip.example.com"}, kAll,
                  [](const DnsKey&) { return nullptr; }, missing, out),
              Resolution::ready);
    EXPECT_EQ(out.at[0].host_name(), "sip.example.com");
}

TEST(Rfc2782, PX_28_WeightsAreRespected) {
    int first_is_heavy = 0;
    for (int i = 0; i < 4000; ++i) {
        std::vector<DnsRecord> list{srv(10, 10, 1, "light"), srv(10, 30, 2, "heavy"), srv(5, 0, 3, "best")};
        order_by_weight(list, [](uint32_t below) { return static_cast<uint32_t>(::rand()) % below; });
        ASSERT_STREQ(list[0].target, "best");
        first_is_heavy += std::string_view(list[1].target) == "heavy";
    }
    EXPECT_NEAR(first_is_heavy, 3000, 150);
}

TEST(Rfc2782, StableChoiceIsTheSameForACopy) {
    Zone zone;
    zone.with(RecordType::srv, "_sip._udp.x.example",
              {srv(1, 5, 1, "a.example"), srv(1, 5, 2, "b.example"), srv(1, 5, 3, "c.example")});
    for (const char* name : {"a.example", "b.example", "c.example"})
        zone.with(RecordType::a, name, {address("10.0.0.1")});
    std::map<std::string, int> seen;
    for (uint64_t branch = 1; branch <= 60; ++branch) {
        const Question question{.host = "x.example", .transport = Transport::udp, .stable_choice = branch};
        const std::string once = zone.resolve(question, kAll);
        EXPECT_EQ(once, zone.resolve(question, kAll));
        ++seen[once.substr(0, once.find(' '))];
    }
    EXPECT_EQ(seen.size(), 3u);  // and different requests spread
}

// --- answers as octets ---------------------------------------------------------------------------------
std::vector<unsigned char> srv_answer() {
    static const char octets[] =
        "\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00"
        "\x04_sip\x04_udp\x01x\x00\x00\x21\x00\x01"
        "\xc0\x0c\x00\x21\x00\x01\x00\x00\x01\x2c\x00\x0b\x00\x0a\x00\x05\x13\xc4\x01"
        "A\xc0\x16\x00"
        "\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x1e\x00\x0a\x00\x14\x00\x00\x13\xc5\x01"
        "b\xc0\x16";
    std::vector<unsigned char> all(octets, octets + sizeof octets - 1);
    all[12 + 17 + 11] = 10;  // the first record has ten octets of data, as the second
    all.erase(all.begin() + 12 + 17 + 22);
    return all;
}
TEST(DnsParse, ReadsServicesAndTheirSmallestTtl) {
    const auto octets = srv_answer();
    const DnsAnswer answer = parse_dns_answer(RecordType::srv, octets, 1000);
    ASSERT_EQ(answer.kind, DnsAnswer::Kind::records);
    ASSERT_EQ(answer.count, 2);
    EXPECT_EQ(answer.record[0].port, 5060);
    EXPECT_STREQ(answer.record[0].target, "a.x");
    EXPECT_EQ(smallest_ttl(octets), 30u);
    EXPECT_EQ(answer.expires, 31'000);
}
TEST(DnsParse, EveryPrefixAndEveryFlippedOctetIsSurvived) {
    const auto octets = srv_answer();
    for (size_t n = 0; n <= octets.size(); ++n) {
        const std::vector<unsigned char> cut(octets.begin(), octets.begin() + static_cast<ptrdiff_t>(n));
        for (const RecordType type : {RecordType::a, RecordType::aaaa, RecordType::srv, RecordType::naptr})
            (void)parse_dns_answer(type, cut, 0);
    }
    for (size_t i = 0; i < octets.size(); ++i) {
        auto bent = octets;
        bent[i] ^= 0xff;
        for (const RecordType type : {RecordType::a, RecordType::aaaa, RecordType::srv, RecordType::naptr})
            (void)parse_dns_answer(type, bent, 0);
    }
}

// --- the cache -----------------------------------------------------------------------------------------
class Cache : public testing::Test {
  protected:
    void SetUp() override {
        mem::attach_slot(0);
        const mem::Part parts[] = {{"dns", dns_cache_bytes(), construct_dns_cache}};
        std::string why;
        ASSERT_TRUE(mem::create_segment(4 << 20, parts, why)) << why;
        clock::tick();
    }
    void TearDown() override {
        mem::destroy_segment();
        mem::attach_slot(-1);
    }
    static DnsAnswer lasting(clock::Millis for_ms) {
        DnsAnswer answer;
        answer.kind = DnsAnswer::Kind::records;
        answer.add(address("10.0.0.1"));
        answer.expires = clock::now_ms() + for_ms;
        return answer;
    }
};
TEST_F(Cache, GivesBackWhatIsStillValid) {
    DnsAnswer out;
    EXPECT_FALSE(cached_answer(dns_key(RecordType::a, "x.example"), out));
    cache_answer(dns_key(RecordType::a, "X.example."), lasting(1000));
    EXPECT_TRUE(cached_answer(dns_key(RecordType::a, "x.EXAMPLE"), out));
    EXPECT_FALSE(cached_answer(dns_key(RecordType::aaaa, "x.example"), out));
    cache_answer(dns_key(RecordType::a, "x.example"), lasting(0));
    EXPECT_FALSE(cached_answer(dns_key(RecordType::a, "x.example"), out)) << "TTL 0 is not kept";
}
TEST_F(Cache, IsBounded) {
    for (int i = 0; i < 20'000; ++i)
        cache_answer(dns_key(RecordType::a, std::to_string(i) + ".example"), lasting(60'000));
    int kept = 0;
    DnsAnswer out;
    for (int i = 0; i < 20'000; ++i) kept += cached_answer(dns_key(RecordType::a, std::to_string(i) + ".example"), out);
    EXPECT_GT(kept, 1000);
    EXPECT_LE(kept, 2048);
}

TEST_F(Cache, WhatIsPermanentStays) {
    const DnsKey always = dns_key(RecordType::a, "always.example");
    const DnsRecord record = address("10.0.0.7");
    ASSERT_TRUE(add_to_dns_cache(always, &record, 0, true));
    cache_answer(always, lasting(60'000));  // a name server does not overrule the administrator
    for (int i = 0; i < 20'000; ++i)
        cache_answer(dns_key(RecordType::a, std::to_string(i) + ".example"), lasting(60'000));
    clear_dns_cache(false);
    CachedName found;
    ASSERT_TRUE(find_cached(always, found));
    EXPECT_TRUE(found.permanent);
    EXPECT_EQ(found.answer.record[0].address.ip(), "10.0.0.7");
    int left = 0;
    for_each_cached([&](const CachedName&) { ++left; });
    EXPECT_EQ(left, 1);
    EXPECT_TRUE(forget_cached(always));
    EXPECT_FALSE(forget_cached(always));
}
TEST_F(Cache, PermanentNamesDoNotPushEachOtherOut) {
    const DnsRecord record = address("10.0.0.7");
    int added = 0, left = 0;
    for (int i = 0; i < 20'000; ++i)
        added += add_to_dns_cache(dns_key(RecordType::a, std::to_string(i) + ".example"), &record, 0, true);
    for_each_cached([&](const CachedName& one) { left += one.permanent; });
    EXPECT_EQ(added, left);
    EXPECT_LE(added, 2048);
}
TEST_F(Cache, RecordsAreAddedUntilThereIsNoPlace) {
    const DnsKey key = dns_key(RecordType::a, "many.example");
    const DnsRecord record = address("10.0.0.7");
    for (size_t i = 0; i < DnsAnswer::kMostRecords; ++i) EXPECT_TRUE(add_to_dns_cache(key, &record, 1000, false));
    EXPECT_FALSE(add_to_dns_cache(key, &record, 1000, false));
    EXPECT_TRUE(add_to_dns_cache(key, nullptr, 1000, false));
    DnsAnswer out;
    ASSERT_TRUE(cached_answer(key, out));
    EXPECT_EQ(out.kind, DnsAnswer::Kind::nothing);
}

}  // namespace
}  // namespace kahu::net
