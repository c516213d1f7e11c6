#include "core/sip/params.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

struct Case {
    const char* name;
    std::string_view text;
    const char* bad;           // rule, or null
    std::string_view printed;  // name=value pairs, joined by |
    size_t stopped;            // at()
};
constexpr Case kCases[] = {
    {"none", "", nullptr, "", 0},
    {"blank", " \r\n ", nullptr, "", 4},
    {"one", ";a=1", nullptr, "a=1", 4},
    {"flag", ";lr;b=2", nullptr, "lr|b=2", 7},
    {"spaces", " ;\r\n tag = 98asjd8 ", nullptr, "tag=98asjd8", 19},
    {"quoted", ";x=\"a;b\\\",c\";y", nullptr, "x=\"a;b\\\",c\"|y", 14},
    {"ipv6", ";received=[2001:db8::9:255]", nullptr, "received=[2001:db8::9:255]", 27},
    {"ipv6_bare", ";received=2001:db8::9:255", nullptr, "received=2001:db8::9:255", 25},
    {"base64", ";a=b==;c=d", nullptr, "a=b==|c=d", 10},
    {"stops_at_comma", ";a=1 , next", nullptr, "a=1", 5},
    {"empty_name", ";;", "parameter: name", "", 0},
    {"trailing_separator", ";a;", "parameter: name", "a", 0},
    {"no_separator", "a=1", "parameter: separator", "", 0},
    {"empty_value", ";a=", "parameter: value", "", 0},
    {"open_quote", ";a=\"b", "parameter: value", "", 0},
    {"two_values", ";a=1 2", "parameter: separator", "a=1", 0},
};
class ParamsTable : public testing::TestWithParam<Case> {};

TEST_P(ParamsTable, ScansOrNamesTheBrokenRule) {
    ParamScanner scan(GetParam().text);
    std::string printed;
    for (Param p; scan.next(p);) {
        if (!printed.empty()) printed += '|';
        printed += p.name;
        if (p.has_value) printed.append("=").append(p.value);
        EXPECT_NE(GetParam().text.find(p.whole), std::string_view::npos);
    }
    EXPECT_EQ(printed, GetParam().printed);
    ASSERT_EQ(scan.bad() != nullptr, GetParam().bad != nullptr);
    if (scan.bad() != nullptr) {
        EXPECT_STREQ(scan.bad()->rule, GetParam().bad);
        EXPECT_LE(scan.bad()->at, GetParam().text.size());
    } else {
        EXPECT_EQ(scan.at(), GetParam().stopped);
    }
}
TEST_P(ParamsTable, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(GetParam().text, [](std::string_view text) {
        ParamScanner scan(text);
        for (Param p; scan.next(p);) continue;
        ListSplitter list(text);
        for (std::string_view piece; list.next(piece);) continue;
    });
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, ParamsTable, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Params, FindIgnoresCase) {
    const auto found = find_param(";a=1;TAG=x;b", "tag");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->value, "x");
    EXPECT_FALSE(find_param(";a=1", "b"));
}

TEST(ListSplitter, HonoursQuotesAndBrackets) {
    const auto split = [](std::string_view text) {
        std::vector<std::string> pieces;
        ListSplitter list(text);
        for (std::string_view piece; list.next(piece);) pieces.emplace_back(piece);
        return pieces;
    };
    using Pieces = std::vector<std::string>;
    EXPECT_EQ(split("a, b ,c"), (Pieces{"a", "b", "c"}));
    EXPECT_EQ(split("\"x, \\\" y\" <sip:a,b@c>;p=\"1,2\", <sip:d>"),
              (Pieces{"\"x, \\\" y\" <sip:a,b@c>;p=\"1,2\"", "<sip:d>"}));
    EXPECT_EQ(split(" ,, a,"), Pieces{"a"});
    EXPECT_EQ(split(""), Pieces{});
    EXPECT_EQ(split("\"open, quote"), Pieces{"\"open, quote"});
}

}  // namespace
}  // namespace kahu::sip
