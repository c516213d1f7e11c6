#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/db/database.h"
#include "core/modules/acc/module.h"
#include "core/modules/acc/rows.h"
#include "mem/failure.h"
#include "mem/recover.h"
#include "mem/slot.h"
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
TEST(Acc, LegsArePutBehindEachOther) {
    const auto set_legs = [](const std::string& text) {
        for (const Param& row : acc::kModule.params)
            if (row.name == "multi_leg_info" && !kahu::apply(row, ParamValue{text})) return false;
        return static_cast<bool>(set_extra("ip=$si;none=$avp(none)"));
    };
    ASSERT_TRUE(set_legs("src=$avp(a);dst=$avp(b)"));
    const auto end_of_line = [](const std::string& statements) {
        const std::string line = logged(statements + "acc_log_request(\"200 OK\");", "", {&acc::kModule});
        return line.substr(std::min(line.size(), line.find("ip=")));
    };
    EXPECT_EQ(end_of_line(""), "ip=10.1.2.3;none=;src=;dst=");
    EXPECT_EQ(end_of_line("$avp(a) = \"1\"; $avp(a) = \"2\"; $avp(b) = \"x;y\";"),
              "ip=10.1.2.3;none=;src=2;dst=x_y;src=1;dst=");
    std::string many;
    for (int i = 0; i < 40; ++i) many += "$avp(a) = " + std::to_string(i) + ";";
    const std::string line = end_of_line(many);
    EXPECT_TRUE(line.find("src=24;") != line.npos && line.find("src=23;") == line.npos) << line;
    EXPECT_FALSE(set_legs("src=$fU"));
    EXPECT_TRUE(set_legs(""));
}
TEST(Acc, MistakesAreFoundAtStart) {
    EXPECT_FALSE(set_extra("src_user"));
    EXPECT_FALSE(set_extra("a=$nosuch"));
    EXPECT_TRUE(set_extra(""));
    EXPECT_TRUE(well_formed(acc::kModule));
}

// --- rows ------------------------------------------------------------------------------------------------------
void set(std::string_view name, const ParamValue& value) {
    for (const Param& row : acc::kModule.params) {
        if (row.name != name) continue;
        EXPECT_TRUE(kahu::apply(row, value)) << name;
    }
}
int64_t rows_in(const std::string& url) {
    auto connection = db::open(url);
    if (!connection) return -1;
    auto rows = (*connection)->prepare("SELECT count(*) FROM acc");
    return rows && (*rows)->step() ? (*rows)->integer(0) : -1;
}

// The timer process may be killed between writing a row and marking it as written, and then writes it twice.  That must
// not count against what may wait.
TEST(AccRows, AreTakenWhereverTheirWriterWasKilled) {
    const std::string file = "/tmp/kahu-acc-test-" + std::to_string(::getpid()) + ".db", url = "sqlite://" + file;
    set("db_flag", int64_t{1});
    set("db_url", url);
    ASSERT_TRUE(acc::kModule.hooks.check());
    mem::attach_slot(0);
    std::string why;
    ASSERT_TRUE(mem::create_segment(16 << 20, acc::kModule.hooks.parts(), why)) << why;
    ASSERT_TRUE(acc::make_tables());
    Script script("request_route { acc_db_request(\"200 OK\", \"acc\"); }", {&acc::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    int64_t sent = 0;
    bool killed = true;
    for (int step = 0; killed; ++step) {
        script.send(request());
        ++sent;
        const pid_t timer = ::fork();
        if (timer == 0) {
            mem::attach_slot(1);
            mem::kill_at(mem::Point::queue, step);
            acc::save_rows();
            ::_exit(0);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(timer, &status, 0), timer);
        killed = WIFSIGNALED(status);
        mem::recover_slot(1);
        const pid_t successor = ::fork();
        if (successor == 0) {
            mem::attach_slot(1);
            acc::save_rows();
            ::_exit(0);
        }
        ASSERT_EQ(::waitpid(successor, &status, 0), successor);
        EXPECT_GE(rows_in(url), sent) << "killed at step " << step;
    }
    EXPECT_GT(sent, 3);
    mem::destroy_segment();
    mem::attach_slot(-1);
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
}

}  // namespace
}  // namespace kahu::script::test
