#include "core/sip/via.h"

#include <gtest/gtest.h>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

struct Case {
    const char* name;
    std::string_view text;
    const char* bad;  // rule of the first broken element, or null
    int elements;
    std::string_view transport, host;
    uint16_t port;
    std::string_view branch;
};
constexpr Case kCases[] = {
    {"plain", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw", nullptr, 1, "UDP", "192.0.2.1", 5060, "z9hG4bKkdjuw"},
    {"no_port", "SIP/2.0/TLS host.example.com", nullptr, 1, "TLS", "host.example.com", 0, ""},
    {"ipv6", "SIP/2.0/TCP [2001:db8::9:1]:5061;branch=z9hG4bKas3", nullptr, 1, "TCP", "[2001:db8::9:1]", 5061,
     "z9hG4bKas3"},
    {"rfc4475_wsinv", "SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw", nullptr, 1, "UDP", "192.0.2.2", 0,
     "390skdjuw"},
    {"rfc4475_list",
     "SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  "
     "192.168.255.111   ; branch=\r\n z9hG4bK30239",
     nullptr, 2, "TCP", "spindle.example.com", 0, "z9hG4bK9ikj8"},
    {"spaces_around_port", "SIP/2.0/UDP first.example.com : 4000 ;ttl=16", nullptr, 1, "UDP", "first.example.com", 4000,
     ""},
    {"unknown_transport", "SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en", nullptr, 1, "UNKNOWN",
     "t4.example.com", 0, "z9hG4bKasd0f3en"},
    {"underscore", "SIP/2.0/UDP my_host", nullptr, 1, "UDP", "my_host", 0, ""},
    {"rfc4475_badinv01", "SIP/2.0/UDP 192.0.2.15;;,;,,", "Via: parameter", 0, "", "", 0, ""},
    {"no_transport", "SIP/2.0 host", "Via: protocol-version", 0, "", "", 0, ""},
    {"no_host", "SIP/2.0/UDP ", "Via: sent-by", 0, "", "", 0, ""},
    {"no_space", "SIP/2.0/UDP", "Via: transport", 0, "", "", 0, ""},
    {"port_zero", "SIP/2.0/UDP h:0", "Via: sent-by", 0, "", "", 0, ""},
    {"port_large", "SIP/2.0/UDP h:65536", "Via: sent-by", 0, "", "", 0, ""},
    {"port_empty", "SIP/2.0/UDP h:;branch=x", "Via: sent-by", 0, "", "", 0, ""},
    {"bad_rport", "SIP/2.0/UDP h;rport=x", "Via: rport", 0, "", "", 0, ""},
    {"bad_ipv6", "SIP/2.0/UDP [::1", "Via: sent-by", 0, "", "", 0, ""},
    {"trailing_comma", "SIP/2.0/UDP h , ", "Via: empty element", 0, "", "", 0, ""},
    {"second_bad", "SIP/2.0/UDP h;branch=a, SIP/2.0/", "Via: transport", 1, "UDP", "h", 0, "a"},
    {"empty", "", nullptr, 0, "", "", 0, ""},
};
class ViaTable : public testing::TestWithParam<Case> {};

TEST_P(ViaTable, ParsesOrNamesTheBrokenRule) {
    const Case& c = GetParam();
    ViaList list(c.text);
    int elements = 0;
    for (Via via; list.next(via); ++elements) {
        if (elements > 0) continue;
        EXPECT_EQ(via.transport, c.transport);
        EXPECT_EQ(via.host, c.host);
        EXPECT_EQ(via.port, c.port);
        EXPECT_EQ(via.branch, c.branch);
        EXPECT_EQ(via.host_is_ipv6, via.host.front() == '[');
    }
    EXPECT_EQ(elements, c.elements);
    ASSERT_EQ(list.bad() != nullptr, c.bad != nullptr);
    if (c.bad == nullptr) return;
    EXPECT_STREQ(list.bad()->rule, c.bad);
    EXPECT_LE(list.bad()->at, c.text.size());
}
TEST_P(ViaTable, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(GetParam().text, [](std::string_view text) {
        ViaList list(text);
        for (Via via; list.next(via);) continue;
    });
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, ViaTable, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Via, KnownParametersAreKept) {
    Via via;
    size_t used = 0;
    Bad bad;
    const std::string_view text = "SIP/2.0/TCP h;RPORT;received=192.0.2.9;maddr=224.2.0.1;ttl=16;alias;x=1";
    ASSERT_TRUE(parse_via(text, via, used, bad));
    EXPECT_EQ(used, text.size());
    EXPECT_TRUE(via.has_rport);
    EXPECT_EQ(via.rport, 0);
    EXPECT_EQ(via.rport_text, "RPORT");
    EXPECT_EQ(via.received, "192.0.2.9");
    EXPECT_EQ(via.maddr, "224.2.0.1");
    EXPECT_EQ(via.ttl, "16");
    EXPECT_TRUE(via.alias);
    ASSERT_TRUE(parse_via("SIP/2.0/UDP [::1];rport=5070", via, used, bad));
    EXPECT_EQ(via.rport, 5070);
    EXPECT_EQ(via.bare_host(), "::1");
}

TEST(Via, OnlyCookieAndMoreIdentifiesATransaction) {
    Via via;
    via.branch = "z9hG4bK1";
    EXPECT_TRUE(via.has_rfc3261_branch());
    via.branch = "z9hG4bK";  // RFC 4475 3.2.1
    EXPECT_FALSE(via.has_rfc3261_branch());
    via.branch = "390skdjuw";
    EXPECT_FALSE(via.has_rfc3261_branch());
}

}  // namespace
}  // namespace kahu::sip
