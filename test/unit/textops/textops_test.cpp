#include "core/modules/sl/module.h"
#include "core/modules/textops/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* condition;
    bool expected;
};
constexpr Case kCases[] = {
    {"present", "is_present_hf(\"Subject\")", true},
    {"present_compact", "is_present_hf(\"s\")", true},
    {"present_unknown", "is_present_hf(\"X-Mine\")", true},
    {"absent", "is_present_hf(\"X-Nope\")", false},
    {"search", "search(\"branch=z9.*77\")", true},
    {"search_dollar", "search_body(\"dy$\")", true},
    {"search_not", "search(\"^nothing$\")", false},
    {"search_body", "search_body(\"bod\")", true},
    {"search_hf", "search_hf(\"Subject\", \"lun\")", true},
    {"search_hf_last", "search_hf(\"X-Mine\", \"^2$\", \"l\")", true},
    {"search_hf_first", "search_hf(\"X-Mine\", \"^2$\", \"f\")", false},
    {"has_body", "has_body()", true},
    {"has_body_type", "has_body(\"text/plain\")", true},
    {"has_other_body", "has_body(\"application/sdp\")", false},
    {"cmp_str", "cmp_str(\"$rU\", \"bob\") && !cmp_str(\"a\", \"A\") && cmp_istr(\"a\", \"A\")", true},
    {"starts", "starts_with(\"$rU\", \"bo\") && ends_with(\"$rU\", \"ob\")", true},
    {"find", "str_find(\"abc\", \"bc\") && str_ifind(\"abc\", \"BC\") && !str_find(\"abc\", \"BC\")", true},
    {"in_list", "in_list(\"b\", \"a, b ,c\", \",\") && !in_list(\"d\", \"a,b\", \",\")", true},
    {"in_list_prefix", "in_list_prefix(\"0049\", \"001,0049\", \",\")", true},
    {"privacy", "is_privacy(\"id\") && !is_privacy(\"user\")", true},
    {"method", "is_method(\"OPTIONS\")", true},
};
class TextQuestions : public testing::TestWithParam<Case> {};
TEST_P(TextQuestions, AreAnswered) {
    const std::string message = request("OPTIONS", "sip:bob@example.com",
                                        "Subject: lunch\r\nX-Mine: 1\r\nX-Mine: 2\r\nPrivacy: header;id\r\n"
                                        "Content-Type: text/plain;charset=x\r\n",
                                        "body");
    const std::string statement = std::string("if (") + GetParam().condition + ") log(\"true\"); else log(\"false\");";
    EXPECT_EQ(logged(statement, message, {&textops::kModule}), GetParam().expected ? "true" : "false");
}
INSTANTIATE_TEST_SUITE_P(Textops, TextQuestions, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(AppendToReply, AddsLinesToLaterReplies) {
    Script script("request_route { append_to_reply(\"X-For: $fU\\r\\n\"); sl_send_reply(\"200\", \"OK\"); }",
                  {&textops::kModule, &sl::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_NE(script.send(request()).replies.at(0).find("\r\nX-For: alice\r\n"), std::string::npos);
}

TEST(AppendToReply, LetsNobodyEndTheHeaders) {
    const auto answered = [](const std::string& header) {
        Script script("request_route { if (!append_to_reply(\"X: $hdr(Subject)\\r\\n\")) log(\"refused\"); }",
                      {&textops::kModule, &sl::kModule});
        return script.send(request("OPTIONS", "sip:a@b", header)).line();
    };
    EXPECT_EQ(answered("Subject: fine\r\n"), "");
    EXPECT_EQ(answered("Subject: folded\r\n more\r\n"), "");
    Script script("request_route { append_to_reply(\"no header\"); }", {&textops::kModule});
    EXPECT_EQ(script.program, nullptr);
    Script cut(
        "request_route { $var(x) = \"A: b\\r\\n\\r\\nbody\"; if (!append_to_reply(\"$var(x)\")) log(\"refused\"); }",
        {&textops::kModule});
    EXPECT_EQ(cut.send(request()).line(), "refused");
}

TEST(Textops, RowsAreWellFormed) { EXPECT_TRUE(well_formed(textops::kModule)); }

}  // namespace
}  // namespace kahu::script::test
