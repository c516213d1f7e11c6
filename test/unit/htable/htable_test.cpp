// Tables in the segment: what the script sees, what RPC answers, and that nobody's death harms them.
#include <algorithm>

#include "core/modules/htable/locks.h"
#include "core/modules/htable/module.h"
#include "core/modules/htable/table.h"
#include "mem/failure.h"
#include "mem/recover.h"
#include "test/unit/mem/segment_fixture.h"
#include "test/unit/script/harness.h"

namespace kahu::htable::test {
namespace {

using mem::test::End;
using script::Value;
using script::test::Script;

const Param& param(std::string_view name) {
    for (const Param& row : kModule.params)
        if (row.name == name) return row;
    std::abort();
}

class Htable : public testing::Test {
  protected:
    void SetUp() override {
        tables().clear();
        for (const char* text :
             {"a=>size=4;autoexpire=300;initval=5;", "b=>size=4;", "k=>size=2;autoexpire=10;updateexpire=0;"})
            ASSERT_TRUE(kahu::apply(param("htable"), ParamValue{std::string(text)}));
        mem::test::create(32, kModule.hooks.parts());
    }
    void TearDown() override {
        mem::destroy_segment();
        mem::attach_slot(-1);
    }
    static std::string logged(const std::string& statements) {
        Script script("request_route {\n" + statements + "\n}\n", {&kModule});
        EXPECT_NE(script.program, nullptr) << script.found.text();
        return script.send(script::test::request()).line();
    }
    static std::string read(Table& table, std::string_view key) {
        Copy copy;
        if (!table.get(key, copy)) return "none";
        return copy.is_text ? copy.text : std::to_string(copy.number);
    }
};

struct Case {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr Case kCases[] = {
    // as Kamailio 5.6.3 writes them
    {"missing", "log(\"$sht(a=>x) $sht(b=>x) $shtex(a=>x)\");", "5 <null> 0"},
    {"counting", "log(\"$shtinc(a=>x) $shtinc(b=>x) $shtdec(a=>x) $shtex(a=>x)\");", "6 <null> 5 300"},
    {"text", "$sht(b=>$ci) = \"te\" + \"xt\"; log(\"$sht(b=>abc@10.1.2.3) $shtinc(b=>$ci) $shtex(b=>$ci)\");",
     "text <null> 0"},
    {"removed", "$sht(b=>y) = 1; $sht(b=>y) = $null; log(\"$sht(b=>y)\");", "<null>"},
    {"condition", "if ($sht(b=>$si) == $null) { $sht(b=>$si) = 1; if ($sht(b=>$si) != $null) log(\"yes\"); }", "yes"},
    {"time", "$sht(b=>y) = 1; $shtex(b=>y) = 10; log(\"$shtex(b=>y)\");", "10"},
    {"new_value_new_time", "$sht(a=>q) = \"s\"; $shtex(a=>q) = 7; $sht(a=>q) = 8; log(\"$shtex(a=>q)\");", "300"},
    {"new_value_old_time", "$sht(k=>q) = \"s\"; $shtex(k=>q) = 7; $sht(k=>q) = 8; log(\"$shtex(k=>q)\");", "7"},
    {"remove_by_key", "$sht(a=>q1) = 1; $sht(a=>r) = 2; sht_rm_name_re(\"a=>^q\"); log(\"$sht(a=>q1) $sht(a=>r)\");",
     "5 2"},
    {"remove_by_op", "$sht(b=>q1) = 1; sht_rm_name(\"b\", \"sw\", \"q\"); log(\"$sht(b=>q1)\");", "<null>"},
    {"remove_by_value", "$sht(b=>q) = \"v1\"; sht_rm_value_re(\"b=>^v\"); log(\"$sht(b=>q)\");", "<null>"},
    {"has",
     "$sht(b=>q) = \"v1\"; if (sht_has_name(\"b\", \"eq\", \"q\") && sht_match_str_value(\"b\", \"sw\", \"v\")) "
     "log(\"yes\");",
     "yes"},
    {"reset", "$sht(b=>q) = 1; sht_reset(\"b\"); log(\"$sht(b=>q)\");", "<null>"},
    {"removes_one", "$sht(b=>q) = 1; if (sht_rm(\"b\", \"q\") && !sht_rm(\"b\", \"q\")) log(\"$sht(b=>q)\");",
     "<null>"},
    {"counts", "$sht(b=>q1) = \"x\"; $sht(b=>q2) = \"y\"; log(\"$shtcn(b=>~^q) $shtcn(b=>~%q1) $shtcv(b=>y)\");",
     "2 1 1"},
    {"with_time",
     "sht_setxi(\"b\", \"q\", \"4\", \"9\"); sht_setxs(\"b\", \"r\", \"t\", \"8\"); log(\"$sht(b=>q) $shtex(b=>q) "
     "$shtex(b=>r)\");",
     "4 9 8"},
    {"locked_twice",
     "sht_lock(\"b=>q\"); sht_lock(\"b=>q\"); $sht(b=>q) = 1; sht_unlock(\"b=>q\"); if (sht_unlock(\"b=>q\") && "
     "!sht_unlock(\"b=>q\")) log(\"$sht(b=>q)\");",
     "1"},
    {"locks_another", "$var(k) = \"b=>q\"; if (sht_lock($var(k)) && sht_unlock(\"b=>q\")) log(\"yes\");", "yes"},
    {"locks_no_table", "$var(k) = \"nosuch=>q\"; if (!sht_lock($var(k)) && sht_print()) log(\"no\");", "no"},
};
TEST_F(Htable, IsWhatTheScriptExpects) {
    for (const Case& c : kCases) {
        for (Table& table : tables()) table.clear();
        EXPECT_EQ(logged(c.statements), c.expected) << c.name;
    }
}

TEST_F(Htable, MistakesAreFoundAtStart) {
    for (const char* statement : {"log(\"$sht(nosuch=>x)\");", "$sht(a) = 1;", "sht_reset(\"nosuch\");",
                                  "sht_lock(\"nosuch=>x\");", "sht_lock(\"a\");"}) {
        Script script(std::string("request_route { ") + statement + " }", {&kModule});
        EXPECT_EQ(script.program, nullptr) << statement;
    }
    for (const char* bad : {"", "a=>size=4", "x=>size=1", "x=>size=40", "x=>nonsense=1", "x=>size", "x=>cols=t;",
                            "x=>coldelim=ab;", "$x=>size=4"})
        EXPECT_FALSE(kahu::apply(param("htable"), ParamValue{std::string(bad)})) << bad;
    EXPECT_FALSE(kahu::apply(param("htable"), ParamValue{int64_t{1}}));
}

TEST_F(Htable, EndsItemsInTime) {
    Table& table = *find_table("b");
    ASSERT_TRUE(table.set("x", Value::of(1), Table::Expiry::given, 1));
    ASSERT_TRUE(table.set("y", Value::of("text"), Table::Expiry::given, 1));
    ASSERT_TRUE(table.set("z", Value::of(3)));
    const int64_t used = mem::heap_stats().used;
    for (int i = 0; i < 60 && read(table, "x") != "none"; ++i) {
        ::usleep(50'000);
        clock::tick();
    }
    EXPECT_EQ(read(table, "x") + read(table, "y") + read(table, "z"), "nonenone3");
    EXPECT_EQ(mem::heap_stats().used, used);
    table.sweep();
    EXPECT_LT(mem::heap_stats().used, used);
    EXPECT_EQ(read(table, "z"), "3");
}

RpcCall called(std::string_view method, std::vector<RpcCall::Param> params) {
    RpcCall call{std::string(method), std::move(params)};
    for (const Command& command : kModule.commands)
        if (command.name == method) command.call(call);
    return call;
}
TEST_F(Htable, AnswersRpc) {
    EXPECT_FALSE(called("htable.seti", {"b", "k1", int64_t{4}}).faulted());
    EXPECT_FALSE(called("htable.sets", {"b", "k2", "text"}).faulted());
    EXPECT_FALSE(called("htable.setxs", {"b", "k3", "text", int64_t{5}}).faulted());
    EXPECT_EQ(read(*find_table("b"), "k1"), "4");
    EXPECT_EQ(called("htable.get", {"b", "k1"}).results().size(), 1u);
    EXPECT_EQ(called("htable.get", {"b", "none"}).faulted()->second, "Key name doesn't exist in htable.");
    EXPECT_EQ(called("htable.get", {"nosuch", "x"}).faulted()->second, "No such htable");
    EXPECT_EQ(called("htable.delete", {"b", "none"}).faulted()->first, 404);
    EXPECT_EQ(called("htable.listTables", {}).results().size(), 3u);
    EXPECT_EQ(called("htable.stats", {}).results().size(), 3u);
    size_t listed = 0;
    const RpcCall dump = called("htable.dump", {"b", int64_t{2}, int64_t{1}});
    for (const RpcValue& entry : dump.results())
        listed += std::get<RpcArray>(std::get<RpcStruct>(entry.data())[2].second.data()).size();
    EXPECT_EQ(listed, 2u);
    EXPECT_FALSE(called("htable.flush", {"b"}).faulted());
    EXPECT_EQ(called("htable.dump", {"b"}).results().size(), 0u);
    EXPECT_TRUE(called("htable.reload", {"b"}).faulted());
}

TEST_F(Htable, RefusesWhatIsTooLongAndSurvivesAFullSegment) {
    Table& table = *find_table("b");
    EXPECT_FALSE(table.set(std::string(kLongestKey + 1, 'k'), Value::of(1)));
    EXPECT_FALSE(table.set("k", Value::of(std::string_view(std::string(kLongestValue + 1, 'v')))));
    ASSERT_TRUE(table.set("k", Value::of("old")));
    mem::FailAllocation failing(0);
    EXPECT_FALSE(table.set("k", Value::of("new")));
    EXPECT_EQ(read(table, "k"), "old");
}

// A process dies at every step of a change: the item is the old or the new one, and everybody goes on.
TEST_F(Htable, SurvivesADeathAtEveryStep) {
    Table& table = *find_table("b");
    long killed = 0;
    for (const mem::Point point : {mem::Point::lock, mem::Point::alloc}) {
        for (long nth = 0;; ++nth) {
            ASSERT_TRUE(table.set("text", Value::of("old")));
            table.remove("made");
            ASSERT_TRUE(table.set("gone", Value::of("x")));
            const End end = mem::test::run_child(1, [&] {
                mem::kill_at(point, nth);
                (void)table.set("text", Value::of("new"));
                (void)table.set("made", Value::of("made"));
                table.remove("gone");
            });
            if (end == End::clean) break;
            ASSERT_EQ(end, End::killed);
            ++killed;
            ASSERT_TRUE(mem::recover_slot(1).heap_sane);
            const std::string text = read(table, "text"), made = read(table, "made"), gone = read(table, "gone");
            EXPECT_TRUE(text == "old" || text == "new") << nth << text;
            EXPECT_TRUE(made == "none" || made == "made") << nth << made;
            EXPECT_TRUE(gone == "none" || gone == "x") << nth << gone;
            ASSERT_TRUE(mem::walk_heap().valid) << nth;
        }
    }
    EXPECT_GT(killed, 15);
    table.clear();
}

TEST_F(Htable, CountsAcrossProcesses) {
    Table& table = *find_table("a");
    pid_t children[4];
    for (int i = 0; i < 4; ++i)
        children[i] = mem::test::spawn(i + 1, [&] {
            for (int n = 0; n < 5000; ++n) (void)table.add("n", 1);
        });
    for (const pid_t child : children) EXPECT_EQ(mem::test::wait_for(child), End::clean);
    EXPECT_EQ(read(table, "n"), "20005");
}

TEST_F(Htable, AScriptsLockEndsWithTheScript) {
    (void)logged("sht_lock(\"b=>x\"); sht_lock(\"b=>x\"); sht_lock(\"a=>x\");");
    for (const char* name : {"a", "b"}) EXPECT_FALSE(release(find_table(name)->script_lock("x"))) << name;
}

// Each adds in two operations what only a lock makes one.
TEST_F(Htable, NobodyChangesWhatAScriptHolds) {
    use_script_locks();
    Table& table = *find_table("b");
    mem::RobustMutex& lock = table.script_lock("n");
    ASSERT_TRUE(table.set("n", Value::of(int64_t{0})));
    pid_t children[3];
    for (int i = 0; i < 3; ++i)
        children[i] = mem::test::spawn(i + 1, [&, i] {
            for (int n = 0; n < 500; ++n) {
                if (i == 0) {
                    (void)table.add("n", 1);  // without sht_lock(): waits for its turn
                    continue;
                }
                if (!take(lock)) std::abort();
                (void)table.set("n", Value::of(std::stoll(read(table, "n")) + 1));
                (void)release(lock);
            }
        });
    for (const pid_t child : children) EXPECT_EQ(mem::test::wait_for(child), End::clean);
    EXPECT_EQ(read(table, "n"), "1500");
}

TEST_F(Htable, TheLockOfADeadScriptIsReleased) {
    use_script_locks();
    Table& table = *find_table("b");
    mem::RobustMutex& lock = table.script_lock("n");
    const End end = mem::test::run_child(1, [&] {
        if (take(lock) && take(lock)) ::raise(SIGKILL);
    });
    ASSERT_EQ(end, End::killed);
    EXPECT_TRUE(table.set("n", Value::of(1)));  // in time, though nobody gave way
    ASSERT_TRUE(mem::recover_slot(1).heap_sane);
    EXPECT_TRUE(take(lock));
    EXPECT_TRUE(table.set("n", Value::of(2)));
    EXPECT_TRUE(release(lock));
    EXPECT_EQ(read(table, "n"), "2");
}

TEST_F(Htable, HoldsSoManyLocksAndNoMore) {
    use_script_locks();
    Table& table = *find_table("b");
    std::vector<mem::RobustMutex*> got;
    for (int i = 0; i < 100; ++i) {
        mem::RobustMutex& lock = table.script_lock(std::to_string(i));
        if (std::find(got.begin(), got.end(), &lock) != got.end()) continue;
        if (take(lock)) got.push_back(&lock);
    }
    EXPECT_EQ(got.size(), kMostHeld);
    release_all();
    for (mem::RobustMutex* lock : got) EXPECT_FALSE(release(*lock));
}

TEST(HtableModule, RowsAreWellFormed) { EXPECT_TRUE(well_formed(kModule)); }

}  // namespace
}  // namespace kahu::htable::test
