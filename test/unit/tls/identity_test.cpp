// Whom a certificate names: the rules of RFC 5922 as a table.
#include "tls/identity.h"

#include "test/unit/tls/certificate_maker.h"

namespace kahu::tls::test {
namespace {

struct Case {
    const char* name;
    const char* common_name;
    const char* alternative_names;  // "": no such extension
    const char* host;
    bool named;
};
constexpr Case kCases[] = {
    {"UR_04_sip_uri", "x", "URI:sip:example.com", "example.com", true},
    {"UR_04_any_case", "x", "URI:SIP:Example.COM", "eXample.com", true},
    {"UR_04_uri_with_a_user_names_a_user", "x", "URI:sip:alice@example.com", "example.com", false},
    {"UR_04_other_schemes_do_not_count", "x", "URI:https://example.com", "example.com", false},
    {"UR_04_dns_without_sip_uri", "x", "DNS:example.com", "example.com", true},
    {"UR_04_dns_beside_a_sip_uri_does_not_count", "x", "URI:sip:other.example,DNS:example.com", "example.com", false},
    {"UR_04_common_name_without_extension", "example.com", "", "example.com", true},
    {"UR_04_common_name_beside_the_extension", "example.com", "DNS:other.example", "example.com", false},
    {"UR_05_wildcards_name_nobody", "x", "DNS:*.example.com", "sip.example.com", false},
    {"subdomains_are_others", "x", "DNS:example.com", "sip.example.com", false},
    {"final_dot", "x", "DNS:example.com", "example.com.", true},
    {"address", "x", "IP:192.0.2.1", "192.0.2.1", true},
    {"other_address", "x", "IP:192.0.2.1", "192.0.2.2", false},
    {"v6_address", "x", "IP:2001:db8::1", "2001:db8::1", true},
};

class Identity : public testing::TestWithParam<Case> {};
TEST_P(Identity, FollowsRfc5922) {
    in_child([] {
        const Case& c = GetParam();
        const OwnedKey key = ec_key();
        const OwnedCertificate made =
            make_certificate(key.get(), {.common_name = c.common_name, .alternative_names = c.alternative_names});
        ASSERT_NE(made, nullptr);
        EXPECT_EQ(names_host(made.get(), c.host), c.named);
    });
}
INSTANTIATE_TEST_SUITE_P(Table, Identity, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

}  // namespace
}  // namespace kahu::tls::test
