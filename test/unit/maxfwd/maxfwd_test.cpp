#include "core/modules/maxfwd/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* header;  // instead of "Max-Forwards: 70\r\n"
    const char* logged;
};
constexpr Case kCases[] = {
    {"decremented", "Max-Forwards: 70\r\n", "1"},     {"last_hop", "Max-Forwards: 1\r\n", "1"},
    {"none_left", "Max-Forwards: 0\r\n", "-1"},       {"added", "", "2"},
    {"leading_zeros", "Max-Forwards: 0068\r\n", "1"},
};
class MaxForwards : public testing::TestWithParam<Case> {};
TEST_P(MaxForwards, CountsAHop) {
    std::string message = request();
    message.replace(message.find("Max-Forwards: 70\r\n"), 18, GetParam().header);
    EXPECT_EQ(logged("mf_process_maxfwd_header(\"10\"); log(\"$rc\");", message, {&maxfwd::kModule}),
              GetParam().logged);
}
INSTANTIATE_TEST_SUITE_P(Maxfwd, MaxForwards, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Maxfwd, ComparesHops) {
    EXPECT_EQ(logged("if (is_maxfwd_lt(71)) log(\"less\");", "", {&maxfwd::kModule}), "less");
    EXPECT_EQ(logged("if (is_maxfwd_lt(70)) log(\"less\"); else log(\"not\");", "", {&maxfwd::kModule}), "not");
}

TEST(Maxfwd, OtherNamesDoTheSame) {
    EXPECT_EQ(logged("maxfwd_process(10); log(\"$rc\");", "", {&maxfwd::kModule}), "1");
    for (const std::string name : {"maxfwd_at_least", "mf_lowlimit"})
        EXPECT_EQ(logged("if (" + name + "(71) && !" + name + "(70)) log(\"less\");", "", {&maxfwd::kModule}), "less")
            << name;
}

TEST(Maxfwd, RefusesAnOddLimit) {
    Script script("request_route { mf_process_maxfwd_header(\"ten\"); }", {&maxfwd::kModule});
    EXPECT_NE(script.found.text().find("mf_process_maxfwd_header(): not a number of hops"), std::string::npos);
}

TEST(Maxfwd, RowsAreWellFormed) { EXPECT_TRUE(well_formed(maxfwd::kModule)); }

}  // namespace
}  // namespace kahu::script::test
