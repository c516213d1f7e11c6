// Calls that are tracked: their life, how they are counted and found, and that their number is bounded.
#include "core/modules/dlgs/filter.h"
#include "core/modules/dlgs/module.h"
#include "core/modules/dlgs/records.h"
#include "core/modules/sl/module.h"
#include "core/script/invite_replies.h"
#include "test/unit/mem/segment_fixture.h"
#include "test/unit/script/harness.h"

namespace kahu::dlgs::test {
namespace {

using enum State;

// --- the life of a call ----------------------------------------------------------------------------------------
struct Step {
    State from;
    Event event;
    State to;
};
constexpr Step kSteps[] = {
    {Init, Event::ringing, Progress},        {Init, Event::success, Answered},
    {Init, Event::failure, NotAnswered},     {Init, Event::cancel, NotAnswered},
    {Progress, Event::success, Answered},    {Progress, Event::failure, NotAnswered},
    {Progress, Event::cancel, NotAnswered},  {Answered, Event::ack, Confirmed},
    {Answered, Event::bye, Terminated},      {Confirmed, Event::bye, Terminated},
    {NotAnswered, Event::success, Answered},
};
TEST(State, MovesAsTheTableSaysAndNowhereElse) {
    for (int from = 0; from < static_cast<int>(kStates); ++from)
        for (int event = 0; event <= static_cast<int>(Event::bye); ++event) {
            State expected = static_cast<State>(from);
            for (const Step& step : kSteps)
                if (static_cast<int>(step.from) == from && static_cast<int>(step.event) == event) expected = step.to;
            EXPECT_EQ(next_state(static_cast<State>(from), static_cast<Event>(event)), expected)
                << from << ", " << event;
        }
}

// --- the table -------------------------------------------------------------------------------------------------
void set(std::string_view name, int64_t value) {
    for (const Param& row : kModule.params)
        if (row.name == name && !kahu::apply(row, ParamValue{value})) FAIL() << name;
}

class Dlgs : public testing::Test {
  protected:
    void SetUp() override { start(4, 100); }
    void TearDown() override {
        script::watch_invite_replies(nullptr);
        mem::destroy_segment();
        mem::attach_slot(-1);
        set("max_dialogs", 100'000);
        set("hash_size", 9);
    }
    static void start(int64_t hash_size, int64_t most) {
        mem::destroy_segment();
        set("hash_size", hash_size);
        set("max_dialogs", most);
        ASSERT_TRUE(kModule.hooks.check());
        mem::test::create(32, kModule.hooks.parts());
    }
    static Begun call(std::string_view id, uint32_t cseq = 1, int64_t now = 1000) {
        return begin({.call_id = id,
                      .from_tag = "f",
                      .to_tag = {},
                      .cseq = cseq,
                      .source = "sip:alice@a",
                      .destination = "sip:bob@b",
                      .data = "trunk one"},
                     now);
    }
    static std::string text_of(std::string_view id, Text which) {
        std::string found = "none";
        for_each([&](const Record& r) {
            if (r.text(Text::call_id) == id) found = r.text(which);
            return true;
        });
        return found;
    }
    static uint64_t ongoing() { return count_all().ongoing(); }
    static size_t there() {
        size_t n = 0;
        for_each([&](const Record&) { return ++n, true; });
        return n;
    }
};

TEST_F(Dlgs, ACallIsCountedUntilItEnds) {
    EXPECT_EQ(call("c1"), Begun::tracked);
    EXPECT_EQ(call("c1"), Begun::was_tracked);
    EXPECT_TRUE(happened("c1", Event::success, "callee", 1003));
    EXPECT_EQ(text_of("c1", Text::to_tag), "callee");
    EXPECT_TRUE(happened("c1", Event::ack, {}, 1004));
    EXPECT_EQ(ongoing(), 1u);
    EXPECT_TRUE(happened("c1", Event::bye, {}, 1010));
    EXPECT_EQ(ongoing(), 0u);
    EXPECT_EQ(count_all().active[static_cast<size_t>(Terminated)], 1u);
    sweep({180, 7200, 10}, 1020);
    EXPECT_EQ(there(), 1u) << "kept for finish_lifetime";
    sweep({180, 7200, 10}, 1021);
    EXPECT_EQ(there(), 0u);
    EXPECT_EQ(count_all().ended[static_cast<size_t>(Terminated)], 1u);
    EXPECT_FALSE(happened("c1", Event::bye, {}, 1030));
    EXPECT_TRUE(records_are_valid());
    EXPECT_EQ(mem::walk_heap().blocks, 0u);
}

TEST_F(Dlgs, LifetimesAreThoseOfTheState) {
    for (const char* id : {"init", "answered", "confirmed", "over"}) (void)call(id, 1, 1000);
    for (const char* id : {"answered", "confirmed"}) (void)happened(id, Event::success, "t", 1100);
    (void)happened("confirmed", Event::ack, {}, 1101);
    (void)happened("over", Event::cancel, {}, 1100);
    const Lifetimes lifetimes{180, 7200, 10};
    sweep(lifetimes, 1111);
    EXPECT_FALSE(is_tracked("over"));
    sweep(lifetimes, 1181);
    EXPECT_FALSE(is_tracked("init"));
    EXPECT_FALSE(is_tracked("answered")) << "without ACK it is no active call";
    sweep(lifetimes, 8300);
    EXPECT_TRUE(is_tracked("confirmed"));
    sweep(lifetimes, 8301);
    EXPECT_FALSE(is_tracked("confirmed"));
}

TEST_F(Dlgs, ARefusedCallBeginsAnewWithALaterInvite) {
    (void)call("c1", 1);
    (void)happened("c1", Event::failure, "ours", 1001);
    EXPECT_EQ(call("c1", 1), Begun::was_tracked) << "a retransmission begins nothing";
    EXPECT_EQ(ongoing(), 0u);
    EXPECT_EQ(call("c1", 2), Begun::tracked);
    EXPECT_EQ(ongoing(), 1u);
    EXPECT_EQ(count_all().ended[static_cast<size_t>(NotAnswered)], 1u);
    EXPECT_EQ(there(), 1u);
    EXPECT_EQ(call("c1", 3), Begun::was_tracked) << "it goes on";
}

TEST_F(Dlgs, Tags) {
    (void)call("c1");
    EXPECT_FALSE(add_tag("nobody", "x"));
    EXPECT_FALSE(add_tag("c1", ""));
    EXPECT_FALSE(add_tag("c1", std::string_view("a\0b", 3)));
    for (const char* tag : {"one", "two", "one"}) EXPECT_TRUE(add_tag("c1", tag));
    const auto tags = [](std::string_view tag) {
        size_t n = 0;
        for_each([&](const Record& r) { return n += r.count_tag(tag), true; });
        return n;
    };
    EXPECT_EQ(tags("one"), 2u);
    EXPECT_EQ(tags("two"), 1u);
    EXPECT_EQ(tags("on"), 0u);
    EXPECT_TRUE(remove_tag("c1", "one"));
    EXPECT_EQ(tags("one"), 1u);
    EXPECT_TRUE(remove_tag("c1", "never there"));
    EXPECT_FALSE(remove_tag("nobody", "one"));
    EXPECT_EQ(tags("two"), 1u);
    EXPECT_EQ(text_of("c1", Text::data), "trunk one");
    int fitted = 0;
    while (add_tag("c1", std::string(100, 'x')) && fitted < 1000) ++fitted;
    EXPECT_EQ(fitted, static_cast<int>((kLongestTags - 8) / 101));
    EXPECT_TRUE(records_are_valid());
}

TEST_F(Dlgs, IsBounded) {
    start(2, 10);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(call("c" + std::to_string(i)), i < 10 ? Begun::tracked : Begun::refused) << i;
    EXPECT_EQ(begin({.call_id = "long",
                     .from_tag = {},
                     .to_tag = {},
                     .cseq = 1,
                     .source = std::string(kLongestText + 1, 'x'),
                     .destination = {},
                     .data = {}},
                    1),
              Begun::refused);
    EXPECT_TRUE(records_are_valid());
}

TEST_F(Dlgs, AFullSegmentRefusesAndHarmsNothing) {
    start(4, 1 << 30);
    const std::string data(1000, 'x');
    int tracked = 0;
    while (begin({.call_id = std::to_string(tracked),
                  .from_tag = {},
                  .to_tag = {},
                  .cseq = 1,
                  .source = {},
                  .destination = {},
                  .data = data},
                 1) == Begun::tracked)
        ++tracked;
    EXPECT_GT(tracked, 1000);
    EXPECT_FALSE(add_tag("0", data));
    EXPECT_TRUE(happened("0", Event::success, data, 2)) << "answered, if without its tag";
    EXPECT_EQ(count_all().active[static_cast<size_t>(Answered)], 1u);
    EXPECT_TRUE(records_are_valid());
    sweep({1, 1, 1}, 1000);
    EXPECT_EQ(there(), 0u);
    EXPECT_EQ(mem::walk_heap().blocks, 0u);
}

// --- filters ---------------------------------------------------------------------------------------------------
struct FilterCase {
    const char *field, *op, *value;
    int matches;  // of two calls; -1: no such filter
};
constexpr FilterCase kFilters[] = {
    {"src", "eq", "sip:alice@a", 1},
    {"SRC", "EQ", "sip:alice", 0},
    {"src", "ne", "sip:alice@a", 1},
    {"dst", "sw", "sip:", 2},
    {"dst", "sw", "sip:b@b.longer", 0},
    {"data", "re", "^trunk (1|2)$", 2},
    {"data", "re", "K 2", 1},
    {"data", "re", "(", -1},
    {"data", "fm", "trunk ?", 2},
    {"data", "fm", "*1", 1},
    {"any", "eq", "*", 2},
    {"from", "eq", "x", -1},
    {"src", "like", "x", -1},
    {"", "", "", -1},
};
TEST_F(Dlgs, Filters) {
    for (const char* name : {"alice", "carol"})
        (void)begin({.call_id = name,
                     .from_tag = {},
                     .to_tag = {},
                     .cseq = 1,
                     .source = std::string("sip:") + name + "@a",
                     .destination = "sip:b@b",
                     .data = *name == 'a' ? "trunk 1" : "trunk 2"},
                    1);
    for (const FilterCase& c : kFilters) {
        const auto filter = Filter::make(c.field, c.op, c.value);
        int matches = filter ? 0 : -1;
        if (filter) for_each([&](const Record& r) { return matches += filter->matches(r) ? 1 : 0, true; });
        EXPECT_EQ(matches, c.matches) << c.field << " " << c.op << " " << c.value;
    }
}

// --- the script ------------------------------------------------------------------------------------------------
std::string invite(std::string_view method = "INVITE") { return script::test::request(method); }

TEST_F(Dlgs, TheScriptTracksAndCounts) {
    script::test::Script script(
        "request_route {\n"
        "  if (method == \"INVITE\") dlgs_init(\"$fu\", \"$tu\", \"from $si\");\n"
        "  else dlgs_update();\n"
        "  $var(any) = dlgs_count(\"any\", \"eq\", \"*\");\n"
        "  $var(src) = dlgs_count(\"src\", \"eq\", \"$fu\");\n"
        "  $var(re) = dlgs_count(\"data\", \"re\", \"10\\.1\");\n"
        "  $var(bad) = dlgs_count(\"what\", \"eq\", \"*\");\n"
        "  if (method == \"INVITE\") { dlgs_tags_add(\"$si\"); }\n"
        "  $var(tags) = dlgs_tags_count(\"$si\");\n"
        "  if (dlgs_find()) $var(found) = 1; else $var(found) = 0;\n"
        "  log(\"$var(any) $var(src) $var(re) $var(bad) $var(tags) $var(found)\");\n"
        "}\n",
        {&kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(invite("OPTIONS")).line(), "-1 -1 -1 -2 -1 0");
    EXPECT_EQ(script.send(invite()).line(), "1 1 1 -2 1 1");
    const std::string id = "abc@10.1.2.3";
    script::tell_invite_reply({id, "b", 100});
    EXPECT_EQ(count_all().active[static_cast<size_t>(Init)], 1u) << "100 says nothing of the other side";
    script::tell_invite_reply({id, "b", 180});
    EXPECT_EQ(count_all().active[static_cast<size_t>(Progress)], 1u);
    script::tell_invite_reply({id, "b", 200});
    EXPECT_EQ(script.send(invite("ACK")).line(), "1 1 1 -2 1 1");
    EXPECT_EQ(count_all().active[static_cast<size_t>(Confirmed)], 1u);
    EXPECT_EQ(script.send(invite("BYE")).line(), "-1 -1 -1 -2 -1 1") << "over, and still known";
}

TEST_F(Dlgs, AStatelessRefusalIsNoted) {
    script::test::Script script("request_route { dlgs_init(\"$fu\", \"$tu\", \"\"); sl_send_reply(\"403\", \"No\"); }",
                                {&kModule, &sl::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(invite()).first_line(), "SIP/2.0 403 No");
    EXPECT_EQ(count_all().active[static_cast<size_t>(NotAnswered)], 1u);
}

TEST(DlgsModule, IsWellFormed) { EXPECT_TRUE(well_formed(kModule)); }

}  // namespace
}  // namespace kahu::dlgs::test
