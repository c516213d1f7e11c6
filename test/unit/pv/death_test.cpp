// test/unit/pv/death_test.cpp -- a process is killed after any instruction of writing a $shv().
#include "core/modules/pv/module.h"
#include "core/modules/pv/shared_variables.h"
#include "test/unit/mem/single_step.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

TEST(SharedVariableDeath, LeavesTheOldValueTheNewOneOrZero) {
    const std::string after(600, 'b');
    Script writes("request_route { $shv(dying) = \"" + after + "\"; }", {&pv::kModule});
    Script reads("request_route { log(\"$shv(dying) $shv(other)\"); }", {&pv::kModule});
    Script before("request_route { $shv(dying) = \"old\"; $shv(other) = \"kept\"; }", {&pv::kModule});
    ASSERT_TRUE(writes.program && reads.program && before.program);
    log::set_level(log::Level::error);
    mem::test::die_everywhere(
        "$shv",
        [&] {
            mem::destroy_segment();
            mem::test::create(2, pv::shared_variable_parts());
            ASSERT_TRUE(pv::start_shared_variables());
            before.send(request());
        },
        [] {}, [&] { writes.send(request()); },
        [&](long) {
            const std::string now = reads.send(request()).line();
            EXPECT_TRUE(now == "old kept" || now == after + " kept" || now == "0 kept") << now;
            before.send(request());
            EXPECT_EQ(reads.send(request()).line(), "old kept");
        },
        40);
}

}  // namespace
}  // namespace kahu::script::test
