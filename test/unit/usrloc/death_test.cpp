// test/unit/usrloc/death_test.cpp -- a process is killed after any instruction of a change of somebody's contacts.
#include <functional>

#include "test/unit/mem/single_step.h"
#include "test/unit/usrloc/fixture.h"

namespace kahu::usrloc::test {
namespace {

using mem::test::die_everywhere;

struct Change {
    const char* name;
    std::function<void()> make;
    const char* after;
};

class ContactDeath : public LocationTest, public testing::WithParamInterface<size_t> {
  protected:
    static constexpr const char* kBefore = "sip:1 sip:2 sip:3";
    static std::span<const Change> changes() {
        static const Change all[] = {
            {"one more", [] { (void)save("alice", "sip:4"); }, "sip:1 sip:2 sip:3 sip:4"},
            {"all removed", [] { remove_all(0, "alice"); }, ""},
            {"three at once",
             [] {
                 const Fields b = contact("sip:b"), c = contact("sip:c");
                 Aor alice(0, "alice");
                 Contact* const second = alice.next(alice.first());
                 const Aor::Change changed[] = {{second, &b}, {alice.next(second), nullptr}, {nullptr, &c}};
                 (void)alice.apply(changed);
             },
             "sip:1 sip:b sip:c"},
            {"lookup", [] { (void)listed("alice"); }, kBefore},
        };
        return all;
    }
};

TEST_P(ContactDeath, LeavesAllOfItOrNothing) {
    const Change& change = changes()[GetParam()];
    die_everywhere(
        change.name,
        [&] {
            mem::destroy_segment();
            SetUp();
            for (const char* uri : {"sip:1", "sip:2", "sip:3"}) ASSERT_TRUE(save("alice", uri));
            ASSERT_TRUE(save("bob", "sip:bob"));
        },
        [] {}, change.make,
        [&](long step) {
            const std::string now = listed("alice");
            EXPECT_TRUE(now == kBefore || now == change.after) << now;
            EXPECT_EQ(listed("bob"), "sip:bob");
            EXPECT_TRUE(valid());
            EXPECT_EQ(totals(0).contacts, 1 + std::count(now.begin(), now.end(), ':'));
            remove_all(0, "alice");
            remove_all(0, "bob");
            EXPECT_EQ(totals(0).contacts, 0);
            mem::test::expect_accounts_match_walk();
            EXPECT_LE(mem::walk_heap().blocks, 1u) << "lost at step " << step;
        },
        20);
}
INSTANTIATE_TEST_SUITE_P(Changes, ContactDeath, testing::Range(size_t{0}, size_t{4}));

}  // namespace
}  // namespace kahu::usrloc::test
