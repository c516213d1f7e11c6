#include "core/sip/name_addr.h"

#include <gtest/gtest.h>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

struct Case {
    const char* name;
    std::string_view text;
    bool ok;
    std::string_view display, uri, tag;
};
constexpr Case kCases[] = {
    {"bare", "sip:a@b;tag=1", true, "", "sip:a@b", "1"},
    {"brackets", "<sip:a@b;x=1>;tag=2", true, "", "sip:a@b;x=1", "2"},
    {"quoted", "\"J \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8", true, "\"J \\\\\\\"\"",
     "sip:jdrosen@example.com", "98asjd8"},
    {"tokens", "token1~` token2'+_ <sip:m@e>;tag=_t", true, "token1~` token2'+_", "sip:m@e", "_t"},
    {"lwsdisp", "caller<sip:caller@example.com>;tag=323", true, "caller", "sip:caller@example.com", "323"},
    {"empty_display", "\"\" <sip:a@b>", true, "\"\"", "sip:a@b", ""},
    {"utf8", "J\xc3\xb6rg <sip:a@b>", true, "J\xc3\xb6rg", "sip:a@b", ""},
    {"phone_display", "(555) 123 <sip:a@b>", true, "(555) 123", "sip:a@b", ""},
    {"unknown_scheme", "isbn:2983792873", true, "", "isbn:2983792873", ""},
    {"folded_start", "\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n", true, "",
     "sip:vivekg@chair-dnrc.example.com", "1918181833n"},
    {"comma_in_display", "Bell, Alexander <sip:a@b>", false, "", "", ""},                  // RFC 4475 3.1.2.15
    {"open_quote", "\"Mr. J. User <sip:j.user@example.com>", false, "", "", ""},           // 3.1.2.6
    {"spaces_in_brackets", "\"W\" < sip:t.watson@example.org >", false, "", "", ""},       // 3.1.2.14
    {"headers_unbracketed", "sip:user@example.com?Route=%3Csip:x%3E", false, "", "", ""},  // 3.1.2.13
    {"open_bracket", "<sip:a@b", false, "", "", ""},
    {"empty_brackets", "<>", false, "", "", ""},
    {"no_scheme", "a@b", false, "", "", ""},
    {"no_bracket_after_quote", "\"a\" sip:a@b", false, "", "", ""},
    {"two", "<sip:a@b>, <sip:c@d>", false, "", "", ""},
    {"junk_behind", "<sip:a@b> x", false, "", "", ""},
    {"bad_param", "<sip:a@b>;=1", false, "", "", ""},
    {"empty", "", false, "", "", ""},
};
class NameAddrTable : public testing::TestWithParam<Case> {};

TEST_P(NameAddrTable, ParsesOrNamesTheBrokenRule) {
    NameAddr got;
    Bad bad;
    ASSERT_EQ(parse_single_name_addr(GetParam().text, got, bad), GetParam().ok) << bad.rule << " at " << bad.at;
    if (!GetParam().ok) {
        EXPECT_LE(bad.at, GetParam().text.size());
        EXPECT_STRNE(bad.rule, "");
        return;
    }
    EXPECT_EQ(got.display, GetParam().display);
    EXPECT_EQ(got.uri, GetParam().uri);
    EXPECT_EQ(got.tag, GetParam().tag);
}
TEST_P(NameAddrTable, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(GetParam().text, [](std::string_view text) {
        NameAddrList list(text);
        for (NameAddr a; list.next(a);) continue;
    });
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, NameAddrTable, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(NameAddr, ListGivesEveryElementAndItsText) {
    NameAddrList list("<sip:p1.example.com;lr>,<sip:p2.example.com;lr>;a=\"x,y\" , \"Q, R\" <sip:q>");
    NameAddr a;
    ASSERT_TRUE(list.next(a));
    EXPECT_EQ(a.text, "<sip:p1.example.com;lr>");
    ASSERT_TRUE(list.next(a));
    EXPECT_EQ(a.text, "<sip:p2.example.com;lr>;a=\"x,y\"");
    EXPECT_EQ(a.params, ";a=\"x,y\"");
    ASSERT_TRUE(list.next(a));
    EXPECT_EQ(a.display, "\"Q, R\"");
    EXPECT_FALSE(list.next(a));
    EXPECT_EQ(list.bad(), nullptr);
}

TEST(NameAddr, EmptyListElementsAreBad) {
    for (const std::string_view text : {"<sip:a>,", "<sip:a>,,<sip:b>", ",<sip:a>"}) {
        NameAddrList list(text);
        NameAddr a;
        while (list.next(a)) continue;
        EXPECT_NE(list.bad(), nullptr) << text;
    }
}

}  // namespace
}  // namespace kahu::sip
