#include "core/stats/counters.h"
#include "core/modules/counters/module.h"
#include "core/stats/registry.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

const Param& param(std::string_view name) {
    for (const Param& row : counters::kModule.params)
        if (row.name == name) return row;
    ADD_FAILURE() << name;
    return counters::kModule.params[0];
}

TEST(ScriptCounters, CountWhatTheScriptCounts) {
    ASSERT_TRUE(kahu::apply(param("script_counter"), ParamValue{std::string("calls")}));
    ASSERT_TRUE(kahu::apply(param("script_counter"), ParamValue{std::string("acme.lost  Calls that were lost.")}));
    Script script(
        "request_route { cnt_inc(\"calls\"); cnt_add(\"acme.lost\", \"5\"); $var(n) = \"calls\"; "
        "cnt_inc(\"$var(n)\"); update_stat(\"lost\", \"-1\"); log(\"$stat(calls) $stat(lost) $stat(nosuch)\"); }",
        {&counters::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "2 4 <null>");
    ASSERT_NE(stats::find_row("acme", "lost"), nullptr);
    EXPECT_EQ(stats::find_row("acme", "lost")->help, "Calls that were lost.");
    ASSERT_NE(stats::find_row("script", "calls"), nullptr);
    EXPECT_EQ(stats::find_row("script", "calls")->value(), 2);
}
TEST(ScriptCounters, UnknownNamesAreFoundAtStart) {
    Script script("request_route { cnt_inc(\"undeclared\"); }", {&counters::kModule});
    EXPECT_EQ(script.program, nullptr);
    EXPECT_NE(script.found.text().find("script_counter"), std::string::npos);
    EXPECT_FALSE(kahu::apply(param("script_counter"), ParamValue{std::string(" ")}));
    EXPECT_FALSE(kahu::apply(param("script_counter"), ParamValue{std::string("group.")}));
    EXPECT_FALSE(kahu::apply(param("script_counter"), ParamValue{int64_t{1}}));
}
TEST(ScriptCounters, RowsAreWellFormed) { EXPECT_TRUE(well_formed(counters::kModule)); }

}  // namespace
}  // namespace kahu::script::test
