// test/unit/htable/death_test.cpp -- a process is killed after any instruction of a change of an item.
#include "core/modules/htable/module.h"
#include "core/modules/htable/table.h"
#include "test/unit/mem/single_step.h"

namespace kahu::htable::test {
namespace {

using mem::test::die_everywhere;
using script::Value;

struct Change {
    const char* name;
    std::function<void(Table&)> make;
    const char* before;
    const char* after;  // of "x"; "-": it is not there
};
const Change kChanges[] = {
    {"text to text", [](Table& t) { (void)t.set("x", Value::of("new")); }, "old", "new"},
    {"text to number", [](Table& t) { (void)t.set("x", Value::of(7)); }, "old", "7"},
    {"new item", [](Table& t) { (void)t.set("x", Value::of("new")); }, "-", "new"},
    {"add", [](Table& t) { (void)t.add("x", 2); }, "5", "7"},
    {"time", [](Table& t) { (void)t.set_seconds_left("x", 100); }, "old", "old"},
    {"remove", [](Table& t) { (void)t.remove("x"); }, "old", "-"},
    {"clear", [](Table& t) { t.clear(); }, "old", "-"},
};

class ItemDeath : public testing::TestWithParam<size_t> {
  protected:
    static std::string read(std::string_view key) {
        Copy copy;
        if (!tables().front().get(key, copy)) return "-";
        return copy.is_text ? copy.text : std::to_string(copy.number);
    }
    void TearDown() override {
        mem::destroy_segment();
        mem::attach_slot(-1);
        tables().clear();
    }
};

TEST_P(ItemDeath, LeavesTheOldOneOrTheNewOne) {
    const Change& change = kChanges[GetParam()];
    tables().clear();
    tables().emplace_back(*parse_config("t=>size=3"));
    Table& table = tables().front();
    die_everywhere(
        change.name,
        [&] {
            mem::destroy_segment();
            mem::test::create(4, kModule.hooks.parts());
            const std::string before = change.before;
            if (before == "5") {
                ASSERT_TRUE(table.set("x", Value::of(5)));
            } else if (before != "-") {
                ASSERT_TRUE(table.set("x", Value::of(before)));
            }
            for (const char* other : {"a", "b", "c", "d"}) ASSERT_TRUE(table.set(other, Value::of(other)));
        },
        [] {}, [&] { change.make(table); },
        [&](long step) {
            const std::string now = read("x");
            EXPECT_TRUE(now == change.before || now == change.after) << now;
            const bool clearing = std::string_view(change.name) == "clear";
            for (const char* other : {"a", "b", "c", "d"}) {
                const std::string neighbour = read(other);
                EXPECT_TRUE(neighbour == other || (clearing && neighbour == "-")) << neighbour;
            }
            ASSERT_TRUE(table.set("x", Value::of("later")));
            EXPECT_EQ(read("x"), "later");
            table.clear();
            mem::test::expect_accounts_match_walk();
            EXPECT_LE(mem::walk_heap().blocks, 1u) << "lost at step " << step;
        },
        20);
}
INSTANTIATE_TEST_SUITE_P(Changes, ItemDeath, testing::Range(size_t{0}, std::size(kChanges)));

}  // namespace
}  // namespace kahu::htable::test
