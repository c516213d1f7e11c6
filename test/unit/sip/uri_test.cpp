#include "core/sip/uri.h"

#include <gtest/gtest.h>

#include <string>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

struct Case {
    const char* name;
    std::string_view text;
    bool ok;
    Scheme scheme;
    std::string_view user, password, host;
    uint16_t port;
    std::string_view params, headers;
};
constexpr Case kCases[] = {
    {"plain", "sip:alice@atlanta.com", true, Scheme::sip, "alice", "", "atlanta.com", 0, "", ""},
    {"all", "sips:al:se%20cret@[2001:db8::1]:5061;transport=tls;lr?Subject=x&To=y", true, Scheme::sips, "al",
     "se%20cret", "[2001:db8::1]", 5061, ";transport=tls;lr", "Subject=x&To=y"},
    {"host_only", "SIP:example.com", true, Scheme::sip, "", "", "example.com", 0, "", ""},
    {"semiuri", "sip:user;par=u%40example.net@example.com", true, Scheme::sip, "user;par=u%40example.net", "",
     "example.com", 0, "", ""},
    {"intmeth",
     "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
     true, Scheme::sip, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
     "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)", "example.com", 0, "", ""},
    {"feature_code", "sip:*21#@h", true, Scheme::sip, "*21#", "", "h", 0, "", ""},
    {"escaped_nul", "sip:%00%00@host5.example.com", true, Scheme::sip, "%00%00", "", "host5.example.com", 0, "", ""},
    {"port_ambiguous", "sip:[2001:db8::10:5070]", true, Scheme::sip, "", "", "[2001:db8::10:5070]", 0, "", ""},
    {"mapped", "sip:u@[::ffff:192.0.2.1]", true, Scheme::sip, "u", "", "[::ffff:192.0.2.1]", 0, "", ""},
    {"tel", "tel:+1-201-555-0123;phone-context=example.com", true, Scheme::tel, "+1-201-555-0123", "", "", 0,
     ";phone-context=example.com", ""},
    {"tel_local", "tel:7042;phone-context=+1", true, Scheme::tel, "7042", "", "", 0, ";phone-context=+1", ""},
    {"opaque", "soap.beep://192.0.2.103:3002", true, Scheme::other, "", "", "", 0, "", ""},
    {"urn", "urn:service:sos", true, Scheme::other, "", "", "", 0, "", ""},
    {"ipv6_unbracketed", "sip:2001:db8::10", false},
    {"three_colons", "sip:user@[2001:db8:::192.0.2.1]", false},
    {"bad_port", "sip:a@b:70000", false},
    {"empty_port", "sip:a@b:", false},
    {"empty_user", "sip:@b", false},
    {"empty_host", "sip:a@", false},
    {"no_host", "sip:", false},
    {"no_colon", "sip", false},
    {"half_escape", "sip:a%4@b", false},
    {"bad_escape", "sip:a%zz@b", false},
    {"space", "sip:a b@c", false},
    {"empty_param", "sip:a@b;;lr", false},
    {"trailing_semicolon", "sip:a@b;", false},
    {"empty_headers", "sip:a@b?", false},
    {"angle", "<sip:a@b>", false},
    {"digit_scheme", "1sip:a@b", false},
    {"tel_empty", "tel:", false},
    {"tel_plus", "tel:+", false},
    {"tel_name", "tel:bob", false},
    {"opaque_empty", "isbn:", false},
    {"opaque_control", "isbn:1\x01", false},
    {"empty", "", false},
};
class UriTable : public testing::TestWithParam<Case> {};

TEST_P(UriTable, ParsesOrNamesTheBrokenRule) {
    const Case& c = GetParam();
    Uri got;
    Bad bad;
    ASSERT_EQ(parse_uri(c.text, got, bad), c.ok) << bad.rule << " at " << bad.at;
    if (!c.ok) {
        EXPECT_LE(bad.at, c.text.size());
        EXPECT_STRNE(bad.rule, "");
        return;
    }
    EXPECT_EQ(got.scheme, c.scheme);
    EXPECT_EQ(got.user, c.user);
    EXPECT_EQ(got.password, c.password);
    EXPECT_EQ(got.host, c.host);
    EXPECT_EQ(got.port, c.port);
    EXPECT_EQ(got.params, c.params);
    EXPECT_EQ(got.headers, c.headers);
    EXPECT_TRUE(equal_uris(got, got));
}
TEST_P(UriTable, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(GetParam().text, [](std::string_view text) {
        Uri got;
        Bad bad;
        if (parse_uri(text, got, bad)) {
            EXPECT_TRUE(equal_uris(got, got)) << text;
        }
    });
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, UriTable, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Uri, ParametersAreKept) {
    Uri uri;
    Bad bad;
    ASSERT_TRUE(
        parse_uri("sip:a:b@h;Transport=TCP;maddr=239.1.1.1;user=phone;method=INVITE;ttl=15;lr;ob;gr=x", uri, bad));
    EXPECT_EQ(uri.transport, "TCP");
    EXPECT_EQ(uri.maddr, "239.1.1.1");
    EXPECT_EQ(uri.user_param, "phone");
    EXPECT_EQ(uri.method, "INVITE");
    EXPECT_EQ(uri.ttl, "15");
    EXPECT_EQ(uri.gr, "x");
    EXPECT_TRUE(uri.lr);
    EXPECT_TRUE(uri.ob);
    EXPECT_EQ(uri.userinfo(), "a:b");
}

struct Pair {
    std::string_view a, b;
    bool equal;
};
constexpr Pair kPairs[] = {
    // the examples of RFC 3261 19.1.4
    {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
    {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;newparam=6", false},
    {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
    {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
     "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
    {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
    {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
    {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
    // and others
    {"sip:a@b", "sips:a@b", false},
    {"sip:a%40@b", "sip:a@b", false},
    {"sip:a:p@b", "sip:a@b", false},
    {"sip:b", "sip:a@b", false},
    {"sip:%00@host5.example.com", "sip:%00%00@host5.example.com", false},  // RFC 4475 3.1.1.4
    {"sip:a@b;maddr=1.2.3.4", "sip:a@b", false},
    {"tel:+1-201-555-0123", "tel:+12015550123", true},
    {"tel:+1201;ext=1", "tel:+1201", false},
    {"sip:a;x=1;x=2", "sip:a;x=2;x=1", true},  // forbidden, but a URI must be equal to itself
    {"urn:service:sos", "URN:service:sos", true},
    {"urn:service:sos", "urn:service:Sos", false},
};

TEST(UriEquality, Rfc3261Section19_1_4) {
    for (const Pair& pair : kPairs) {
        Uri a, b;
        Bad bad;
        ASSERT_TRUE(parse_uri(pair.a, a, bad)) << pair.a << ": " << bad.rule;
        ASSERT_TRUE(parse_uri(pair.b, b, bad)) << pair.b << ": " << bad.rule;
        EXPECT_EQ(equal_uris(a, b), pair.equal) << pair.a << "  " << pair.b;
        EXPECT_EQ(equal_uris(b, a), pair.equal) << "symmetric: " << pair.b << "  " << pair.a;
    }
}

TEST(Uri, AddressTexts) {
    for (const char* good : {"::", "::1", "2001:db8::10:5070", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"})
        EXPECT_TRUE(is_ipv6_text(good)) << good;
    for (const char* bad : {"", ":", ":::", "1::2::3", "12345::", "192.0.2.1", "[::1]", "::1 ", "1:2:3:4:5:6:7:8:9"})
        EXPECT_FALSE(is_ipv6_text(bad)) << bad;
}

}  // namespace
}  // namespace kahu::sip
