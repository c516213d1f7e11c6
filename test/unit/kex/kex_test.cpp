#include "core/modules/kex/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr Case kCases[] = {
    {"script_flag", "setsflag(3); if (issflagset(3) && !issflagset(4)) log(\"yes\");", "yes"},
    {"script_flag_cleared", "setsflag(3); resetsflag(3); if (!issflagset(3)) log(\"yes\");", "yes"},
    {"script_flag_is_not_the_messages", "setsflag(3); if (!isflagset(3)) log(\"yes\");", "yes"},
    {"branch_flag", "setbflag(7); if (isbflagset(7) && isbflagset(7, 0) && !isbflagset(6)) log(\"yes\");", "yes"},
    {"branch_flag_cleared", "setbflag(7); resetbflag(7); if (!isbflagset(7)) log(\"yes\");", "yes"},
    {"no_such_branch", "if (!setbflag(7, 3)) log(\"no\");", "no"},
    {"destination", "if (!isdsturiset()) { setdsturi(\"sip:a@b\"); if (isdsturiset()) log(\"$du\"); }", "sip:a@b"},
    {"destination_gone", "setdsturi(\"sip:a@b\"); resetdsturi(); if (!isdsturiset()) log(\"yes\");", "yes"},
    {"destination_bad", "if (!setdsturi(\"nonsense\")) log(\"no\");", "no"},
    {"not_myself", "if (!is_myself(\"sip:a@elsewhere.example\")) log(\"no\");", "no"},
};
class Kex : public testing::TestWithParam<Case> {};
TEST_P(Kex, DoesWhatItSays) { EXPECT_EQ(logged(GetParam().statements, "", {&kex::kModule}), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(All, Kex, testing::ValuesIn(kCases), [](const auto& i) { return std::string(i.param.name); });

TEST(KexFlags, BeginAtZeroForEveryMessage) {
    Script script("request_route { if (issflagset(1)) log(\"left over\"); else log(\"fresh\"); setsflag(1); }",
                  {&kex::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "fresh");
    EXPECT_EQ(script.send(request()).line(), "fresh");
}
TEST(KexFlags, WrongNumbersAreFoundAtStart) {
    EXPECT_EQ(Script("request_route { setbflag(32); }", {&kex::kModule}).program, nullptr);
    EXPECT_EQ(Script("request_route { setsflag(\"x\"); }", {&kex::kModule}).program, nullptr);
}
TEST(KexLevel, IsThisProcessesUntilReset) {
    Script script("request_route { setdebug(1); log(1, \"seen\"); log(2, \"not seen\"); resetdebug(); }",
                  {&kex::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const Outcome outcome = script.send(request());
    EXPECT_EQ(outcome.lines, std::vector<std::string>{"seen"});
}
TEST(Kex, RowsAreWellFormed) { EXPECT_TRUE(well_formed(kex::kModule)); }

}  // namespace
}  // namespace kahu::script::test
