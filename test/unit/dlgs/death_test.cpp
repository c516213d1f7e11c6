// test/unit/dlgs/death_test.cpp -- a process is killed after any instruction of what happens to a call.
#include "core/modules/dlgs/module.h"
#include "core/modules/dlgs/records.h"
#include "core/script/invite_replies.h"
#include "test/unit/mem/single_step.h"

namespace kahu::dlgs::test {
namespace {

constexpr int64_t kNow = 1000;

Begun call(std::string_view id, uint32_t cseq = 1) {
    return begin(
        {.call_id = id, .from_tag = "f", .to_tag = {}, .cseq = cseq, .source = "a", .destination = "b", .data = "c"},
        kNow);
}
constexpr std::string_view kOthers[] = {"n1", "n2", "n3", "n4"};

struct Case {
    const char* name;
    void (*prepare)();
    void (*work)();
};
const Case kCases[] = {
    {"begin", [] {}, [] { (void)call("x"); }},
    {"begin anew", [] { (void)call("x"), (void)happened("x", Event::failure, {}, kNow); }, [] { (void)call("x", 2); }},
    {"answered", [] { (void)call("x"); }, [] { (void)happened("x", Event::success, "to", kNow); }},
    {"cancelled", [] { (void)call("x"); }, [] { (void)happened("x", Event::cancel, {}, kNow); }},
    {"add tag", [] { (void)call("x"); }, [] { (void)add_tag("x", "tag"); }},
    {"remove tag", [] { (void)call("x"), (void)add_tag("x", "tag"); }, [] { (void)remove_tag("x", "tag"); }},
    {"sweep", [] { (void)call("x"), (void)happened("x", Event::cancel, {}, kNow); },
     [] {
         sweep({100, 100, 10}, kNow + 11);
     }},
};

class CallDeath : public testing::TestWithParam<size_t> {
  protected:
    void TearDown() override {
        script::watch_invite_replies(nullptr);
        mem::destroy_segment();
        mem::attach_slot(-1);
    }
};

TEST_P(CallDeath, LeavesWholeCallsAndTrueCounts) {
    const Case& c = kCases[GetParam()];
    configure_records(3, 100);
    mem::test::die_everywhere(
        c.name,
        [&] {
            mem::destroy_segment();
            mem::test::create(4, kModule.hooks.parts());
            for (const std::string_view other : kOthers) ASSERT_EQ(call(other), Begun::tracked);
            c.prepare();
        },
        [] {}, c.work,
        [&](long step) {
            for (const std::string_view other : kOthers) EXPECT_TRUE(is_tracked(other));
            (void)is_tracked("x");  // whoever comes next repairs
            EXPECT_TRUE(records_are_valid());
            const Counts counts = count_all();
            EXPECT_EQ(counts.ongoing() >= std::size(kOthers), true);
            EXPECT_NE(call("y"), Begun::refused);
            EXPECT_TRUE(add_tag("y", "t"));
            EXPECT_TRUE(happened("y", Event::success, "to", kNow));
            EXPECT_TRUE(records_are_valid());
            sweep({1, 1, 1}, kNow + 1000);
            EXPECT_EQ(count_all().ongoing(), 0u);
            mem::test::expect_accounts_match_walk();
            EXPECT_LE(mem::walk_heap().blocks, 1u) << "lost at step " << step;
        },
        20);
}
INSTANTIATE_TEST_SUITE_P(Cases, CallDeath, testing::Range(size_t{0}, std::size(kCases)));

}  // namespace
}  // namespace kahu::dlgs::test
