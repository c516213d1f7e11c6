#include "core/modules/acc/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

Status set_extra(const std::string& text) {
    for (const Param& row : acc::kModule.params)
        if (row.name == "log_extra")
            if (Status applied = kahu::apply(row, ParamValue{text}); !applied) return applied;
    return acc::kModule.hooks.check();
}

TEST(Acc, WritesALine) {
    ASSERT_TRUE(set_extra("src_user=$fU;src_ip=$si"));
    const std::string line = logged("acc_log_request(\"404 Not; found\");", "", {&acc::kModule});
    EXPECT_TRUE(line.starts_with("ACC: request accounted: timestamp=")) << line;
    EXPECT_TRUE(
        line.ends_with(";method=OPTIONS;from_tag=a1;to_tag=;call_id=abc@10.1.2.3;code=404;reason=Not_ "
                       "found;src_user=alice;src_ip=10.1.2.3"))
        << line;
}
TEST(Acc, MistakesAreFoundAtStart) {
    EXPECT_FALSE(set_extra("src_user"));
    EXPECT_FALSE(set_extra("a=$nosuch"));
    EXPECT_TRUE(set_extra(""));
    EXPECT_TRUE(well_formed(acc::kModule));
}

}  // namespace
}  // namespace kahu::script::test
