#include "core/modules/sl/module.h"
#include "core/stats/counters.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* statements;
    const char* first_line;
};
constexpr Case kCases[] = {
    {"texts", "sl_send_reply(\"200\", \"OK\");", "SIP/2.0 200 OK"},
    {"number", "sl_send_reply(486, \"Busy Here\");", "SIP/2.0 486 Busy Here"},
    {"variables", "$var(c) = 403; sl_send_reply(\"$var(c)\", \"Not for $fU\");", "SIP/2.0 403 Not for alice"},
    {"variable", "$var(c) = 403; sl_send_reply($var(c), \"No\");", "SIP/2.0 403 No"},
    {"empty_reason", "sl_send_reply(\"404\", \"\");", "SIP/2.0 404 Not Found"},
    {"provisional", "sl_send_reply(\"180\", \"Ringing\");", "SIP/2.0 180 Ringing"},
    {"send_reply", "send_reply(\"200\", \"OK\");", "SIP/2.0 200 OK"},
    {"error", "sl_reply_error();", "SIP/2.0 500 Internal Server Error"},
    {"injected", "$var(r) = \"a\\r\\nX: y\"; sl_send_reply(\"400\", \"$var(r)\");", "SIP/2.0 400 a"},
    {"odd_status", "$var(c) = 99; sl_send_reply(\"$var(c)\", \"x\");", ""},
};
class Replies : public testing::TestWithParam<Case> {};
TEST_P(Replies, AreSent) {
    Script script(std::string("request_route {") + GetParam().statements + "}", {&sl::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const Outcome out = script.send(request());
    EXPECT_EQ(out.first_line(), GetParam().first_line);
    EXPECT_TRUE(out.replies.empty() || out.replies[0].find("\r\nX:") == std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Sl, Replies, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Sl, RefusesOddConstants) {
    Script script(
        "request_route { sl_send_reply(\"20\", \"OK\"); sl_send_reply(\"OK\", \"200\"); sl_send_reply(\"200\"); }",
        {&sl::kModule});
    EXPECT_EQ(script.found.errors(), 3u) << script.found.text();
}

TEST(Sl, IsNotForReplies) {
    Script script("request_route { exit; } reply_route { sl_send_reply(\"200\", \"OK\"); }", {&sl::kModule});
    EXPECT_NE(script.found.text().find("sl_send_reply() cannot be called in reply_route"), std::string::npos);
}

TEST(Sl, AFinalReplyIsTheOnlyOne) {
    Script script("request_route { sl_send_reply(\"$rU\", \"x\"); sl_reply_error(); }", {&sl::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request("OPTIONS", "sip:404@b")).replies.size(), 1u);
    EXPECT_EQ(script.send(request("OPTIONS", "sip:183@b")).replies.size(), 2u);
}

// Counter ids are given out at start; here each gets one of its own.
TEST(Sl, CountsByStatus) {
    uint16_t next = 100;
    for (const Counter& counter : sl::kModule.counters) *counter.id = next++;
    ASSERT_TRUE(sl::kModule.hooks.start());
    const auto count = [](std::string_view name) {
        for (const Counter& counter : sl::kModule.counters)
            if (counter.name == name) return stats::row()[*counter.id];
        return int64_t{-1};
    };
    Script script("request_route { sl_send_reply(\"$rU\", \"x\"); }", {&sl::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    for (const char* status : {"200", "200", "404", "486", "183", "603", "299"})
        script.send(request("OPTIONS", std::string("sip:") + status + "@b"));
    EXPECT_EQ(count("200_replies"), 2);
    EXPECT_EQ(count("404_replies"), 1);
    EXPECT_EQ(count("4xx_replies"), 1);
    EXPECT_EQ(count("1xx_replies"), 1);
    EXPECT_EQ(count("6xx_replies"), 1);
    EXPECT_EQ(count("2xx_replies"), 1);
    EXPECT_EQ(count("sent_replies"), 7);
    EXPECT_EQ(count("sent_err_replies"), 3);
    set_reply_counters({});
}

TEST(Sl, RowsAreWellFormed) { EXPECT_TRUE(well_formed(sl::kModule)); }

}  // namespace
}  // namespace kahu::script::test
