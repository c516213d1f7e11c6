// test/unit/acc/death_test.cpp -- who queues accounting rows, or writes them, is killed after any instruction.
#include <filesystem>

#include "core/db/database.h"
#include "core/modules/acc/module.h"
#include "core/modules/acc/rows.h"
#include "mem/failure.h"
#include "test/unit/mem/single_step.h"
#include "test/unit/script/harness.h"

namespace kahu::acc::test {
namespace {

using mem::test::die_everywhere;

class RowDeath : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("kahu-acc-" + std::to_string(::getpid()));
        settings.db_flag.set(1);
        settings.db_url.set("sqlite://" + (folder_ / "acc.sqlite").string());
        script_ = std::make_unique<script::test::Script>("request_route { acc_db_request(\"200 OK\", \"acc\"); }",
                                                         std::vector<const ModuleDescriptor*>{&kModule});
        ASSERT_NE(script_->program, nullptr) << script_->found.text();
        log::set_level(log::Level::error);
    }
    void TearDown() override {
        settings.db_flag.set(-1);
        settings.db_url.set("");
        mem::destroy_segment();
        mem::attach_slot(-1);
        std::filesystem::remove_all(folder_);
    }
    void fresh() {
        mem::destroy_segment();
        mem::test::create(2, row_parts());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        ASSERT_TRUE(make_tables());
    }
    void account() { (void)script_->send(script::test::request()); }
    // As the timer process's successor does; in a child, for the connection is the process's own.
    int64_t written() {
        EXPECT_EQ(mem::test::run_child(2, [] { save_rows(); }), mem::test::End::clean);
        auto connection = db::open(settings.db_url.get());
        auto rows = (*connection)->prepare("SELECT count(*) FROM acc");
        EXPECT_TRUE(rows && *(*rows)->step());
        return (*rows)->integer(0);
    }
    std::filesystem::path folder_;
    std::unique_ptr<script::test::Script> script_;
};

TEST_F(RowDeath, OfAWorker) {
    die_everywhere(
        "acc_db_request",
        [&] {
            fresh();
            account();
        },
        [] {}, [&] { account(); },
        [&](long) {
            account();
            const int64_t rows = written();
            EXPECT_TRUE(rows == 2 || rows == 3) << rows;
            EXPECT_LE(mem::walk_heap().blocks, 1u);
        },
        8);
}

// At every step of the queue: through SQLite's own instructions it would take minutes.
TEST_F(RowDeath, OfWhoWritesThem) {
    for (long nth = 0;; ++nth) {
        fresh();
        for (int i = 0; i < 3; ++i) account();
        const auto end = mem::test::run_child(1, [&] {
            mem::kill_at(mem::Point::queue, nth);
            save_rows();
        });
        if (end == mem::test::End::clean) break;
        ASSERT_EQ(end, mem::test::End::killed);
        EXPECT_TRUE(mem::recover_slot(1).heap_sane);
        account();
        const int64_t rows = written();
        EXPECT_TRUE(rows == 4 || rows == 5) << rows << " at " << nth;  // the one in hand may come twice
        EXPECT_LE(mem::walk_heap().blocks, 1u);                        // the one it was freeing
        ASSERT_LT(nth, 100);
    }
}

}  // namespace
}  // namespace kahu::acc::test
