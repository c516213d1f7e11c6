#include "core/modules/corex/module.h"
#include "core/net/listener.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr Case kCases[] = {
    {"branch", "if (append_branch(\"sip:c@d\")) log(\"yes\");", "yes"},
    {"branch_q", "if (append_branch(\"sip:c@d\", \"0.5\")) log(\"yes\");", "yes"},
    {"branch_of_now", "if (append_branch()) log(\"yes\");", "yes"},
    {"branch_bad_uri", "if (!append_branch(\"nonsense\")) log(\"no\");", "no"},
    {"branch_bad_q", "if (!append_branch(\"sip:c@d\", \"1.5\")) log(\"no\");", "no"},
    {"branches_are_bounded",
     "$var(i) = 0; while ($var(i) < 60 && append_branch(\"sip:c@d\")) $var(i) = $var(i) + 1; log(\"$var(i)\");", "31"},
    {"user", "if (has_ruri_user()) log(\"yes\");", "yes"},
    {"no_user", "$ru = \"sip:example.com\"; if (!has_ruri_user()) log(\"no\");", "no"},
    {"no_agent", "if (!has_user_agent()) log(\"no\");", "no"},
    {"foreign_socket", "if (!set_send_socket(\"udp:192.0.2.1:5060\")) log(\"no\");", "no"},
    {"odd_socket", "if (!set_send_socket(\"udp:\") && !set_send_socket(\"x\") && !set_send_socket(\"\")) log(\"no\");",
     "no"},
    {"no_name", "if (!is_socket_name(\"x\") && !set_send_socket_name(\"\")) log(\"no\");", "no"},
    {"send_name", "if (!send_udp(\"example.com:5060\")) log(\"no\");", "no"},
};
class Corex : public testing::TestWithParam<Case> {};
TEST_P(Corex, DoesWhatItSays) { EXPECT_EQ(logged(GetParam().statements, "", {&corex::kModule}), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(All, Corex, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });
TEST(Corex, RowsAreWellFormed) { EXPECT_TRUE(well_formed(corex::kModule)); }

}  // namespace
}  // namespace kahu::script::test
