#include "tls/domain_select.h"

#include <gtest/gtest.h>

#include <vector>

namespace kahu::tls {
namespace {

SocketAddress at(const char* ip, uint16_t port) { return SocketAddress::parse_ip(ip, port).value(); }
ProfileKey key(Side side, Scope scope, const char* sni = "", ServerNameMode mode = ServerNameMode::exact) {
    return {side, scope, mode, {}, sni, ""};
}
ProfileKey bound(Side side, const char* ip, uint16_t port, const char* sni = "") {
    return {side, Scope::address, ServerNameMode::exact, at(ip, port), sni, ""};
}

constexpr Side kS = Side::server, kC = Side::client;

const std::vector<ProfileKey> kProfiles = {
    key(kS, Scope::fallback),                                                 // 0
    key(kC, Scope::fallback),                                                 // 1
    bound(kS, "10.0.0.1", 5061),                                              // 2
    bound(kS, "10.0.0.1", 5061, "a.example.com"),                             // 3
    bound(kS, "10.0.0.2", 0),                                                 // 4
    key(kS, Scope::any, "b.example.com"),                                     // 5
    key(kS, Scope::any, "example.org", ServerNameMode::name_and_subdomains),  // 6
    key(kS, Scope::any, "example.net", ServerNameMode::subdomains),           // 7
    key(kS, Scope::any, "sip.example.org"),                                   // 8
    bound(kC, "192.0.2.9", 5061),                                             // 9
    bound(kC, "10.0.0.1", 0),                                                 // 10
    {kC, Scope::any, ServerNameMode::exact, {}, "x", "trunk1"},               // 11
    bound(kS, "::1", 5061, "six.example.com"),                                // 12
};

struct Case {
    const char* name;
    Side side;
    const char* local;
    uint16_t port;
    const char* peer;
    const char* sni;
    const char* id;
    int expected;
};
constexpr Case kCases[] = {
    {"nothing_known", kS, "10.9.9.9", 5061, "1.1.1.1", "", "", 0},
    {"by_address", kS, "10.0.0.1", 5061, "1.1.1.1", "", "", 2},
    {"other_port", kS, "10.0.0.1", 5071, "1.1.1.1", "", "", 0},
    {"any_port", kS, "10.0.0.2", 5071, "1.1.1.1", "", "", 4},
    {"address_and_name", kS, "10.0.0.1", 5061, "1.1.1.1", "A.Example.COM", "", 3},
    {"final_dot", kS, "10.0.0.1", 5061, "1.1.1.1", "a.example.com.", "", 3},
    {"name_of_another_address", kS, "10.0.0.2", 5061, "1.1.1.1", "a.example.com", "", 4},
    {"any_with_name", kS, "10.0.0.1", 5061, "1.1.1.1", "b.example.com", "", 5},
    {"unknown_name", kS, "10.0.0.1", 5061, "1.1.1.1", "nobody.invalid", "", 2},
    {"unknown_name_and_address", kS, "10.9.9.9", 5061, "1.1.1.1", "nobody.invalid", "", 0},
    {"subdomain", kS, "10.9.9.9", 5061, "1.1.1.1", "deep.er.example.org", "", 6},
    {"mode_1_matches_itself", kS, "10.9.9.9", 5061, "1.1.1.1", "example.org", "", 6},
    {"exact_before_subdomain", kS, "10.9.9.9", 5061, "1.1.1.1", "sip.example.org", "", 8},
    {"mode_2_not_itself", kS, "10.9.9.9", 5061, "1.1.1.1", "example.net", "", 0},
    {"mode_2_subdomain", kS, "10.9.9.9", 5061, "1.1.1.1", "x.example.net", "", 7},
    {"no_half_labels", kS, "10.9.9.9", 5061, "1.1.1.1", "badexample.net", "", 0},
    {"named_address_without_sni", kS, "::1", 5061, "::1", "", "", 12},
    {"mapped_address", kS, "::ffff:10.0.0.1", 5061, "1.1.1.1", "", "", 2},
    {"client_default", kC, "10.9.9.9", 40000, "1.1.1.1", "", "", 1},
    {"client_by_peer", kC, "10.9.9.9", 40000, "192.0.2.9", "", "", 9},
    {"client_by_local", kC, "10.0.0.1", 40000, "1.1.1.1", "", "", 10},
    {"client_by_id", kC, "10.0.0.1", 40000, "192.0.2.9", "", "TRUNK1", 11},
    {"client_unknown_id", kC, "10.9.9.9", 40000, "1.1.1.1", "", "nobody", 1},
};
class Select : public testing::TestWithParam<Case> {};
TEST_P(Select, FindsTheProfile) {
    const Case& c = GetParam();
    EXPECT_EQ(select_profile(kProfiles, {c.side, at(c.local, c.port), at(c.peer, 5061), c.sni, c.id}), c.expected);
}
INSTANTIATE_TEST_SUITE_P(DomainSelect, Select, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(DomainSelect, TheLastOfEqualsWins) {
    const std::vector<ProfileKey> twice = {key(kS, Scope::any, "a.org"), key(kS, Scope::any, "a.org")};
    EXPECT_EQ(select_profile(twice, {kS, at("10.0.0.1", 1), {}, "a.org", ""}), 1);
}
TEST(DomainSelect, WithoutADefaultANamedProfileServesStrangers) {
    const std::vector<ProfileKey> named = {key(kS, Scope::any, "a.org")};
    EXPECT_EQ(select_profile(named, {kS, at("10.0.0.1", 1), {}, "", ""}), 0);
    EXPECT_EQ(select_profile(named, {kS, at("10.0.0.1", 1), {}, "b.org", ""}), 0);
    EXPECT_EQ(select_profile(named, {kC, at("10.0.0.1", 1), {}, "", ""}), -1);
    EXPECT_EQ(select_profile({}, {kS, at("10.0.0.1", 1), {}, "", ""}), -1);
}

}  // namespace
}  // namespace kahu::tls
