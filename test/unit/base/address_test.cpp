#include "core/base/address.h"

#include <gtest/gtest.h>

namespace kahu {
namespace {

struct Case {
    const char* name;
    std::string_view text;
    bool ok;
    std::string_view shown;
};
constexpr Case kCases[] = {
    {"v4", "127.0.0.1", true, "127.0.0.1:5060"},
    {"v6", "::1", true, "[::1]:5060"},
    {"v6_brackets", "[2001:db8::1]", true, "[2001:db8::1]:5060"},
    {"v6_long", "2001:0db8:0000:0000:0000:0000:0000:0001", true, "[2001:db8::1]:5060"},
    {"name", "localhost", false, ""},
    {"octet_too_large", "127.0.0.256", false, ""},
    {"three_octets", "127.0.1", false, ""},
    {"empty", "", false, ""},
    {"brackets_only", "[]", false, ""},
    {"too_long", "2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000", false, ""},
};
class ParseIp : public testing::TestWithParam<Case> {};
TEST_P(ParseIp, ReadsAddressesOnly) {
    const auto got = SocketAddress::parse_ip(GetParam().text, 5060);
    ASSERT_EQ(got.has_value(), GetParam().ok);
    if (got) {
        EXPECT_EQ(got->text(), GetParam().shown);
    }
}
INSTANTIATE_TEST_SUITE_P(Address, ParseIp, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Address, MappedV4BecomesV4) {
    const auto mapped = SocketAddress::parse_ip("::ffff:10.0.0.1", 5061);
    ASSERT_TRUE(mapped);
    EXPECT_EQ(mapped->unmapped().text(), "10.0.0.1:5061");
    EXPECT_TRUE(mapped->unmapped().same_ip(*SocketAddress::parse_ip("10.0.0.1")));
}

TEST(Address, ComparesIpAndPort) {
    const auto a = *SocketAddress::parse_ip("10.0.0.1", 1), b = *SocketAddress::parse_ip("10.0.0.1", 2);
    EXPECT_FALSE(a == b);
    EXPECT_TRUE(a.same_ip(b));
    EXPECT_EQ(a.hash_ip(), b.hash_ip());
    EXPECT_FALSE(a.same_ip(*SocketAddress::parse_ip("::1")));
    EXPECT_TRUE(SocketAddress().empty());
    EXPECT_TRUE(SocketAddress::parse_ip("0.0.0.0")->is_wildcard());
    EXPECT_TRUE(SocketAddress::parse_ip("::")->is_wildcard());
}

}  // namespace
}  // namespace kahu
