// test/unit/usrloc/store_test.cpp -- contacts in SQLite: written, read again, deleted; in each db_mode.
#include "core/modules/usrloc/store.h"
#include "core/modules/usrloc/settle.h"

#include <filesystem>

#include "core/db/database.h"
#include "core/modules/usrloc/settings.h"
#include "core/modules/usrloc/sweep.h"
#include "core/sip/method.h"
#include "test/unit/usrloc/fixture.h"

namespace kahu::usrloc::test {
namespace {

class Store : public LocationTest {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("kahu-usrloc-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        settings.db_url.set("sqlite://" + (folder_ / "l.sqlite").string());
        LocationTest::SetUp();
    }
    void TearDown() override {
        store::close();
        settings.db_mode.set(0);
        settings.use_domain.set(0);
        LocationTest::TearDown();
        std::filesystem::remove_all(folder_);
    }
    void restart(DbMode mode) {
        store::close();
        mem::destroy_segment();
        settings.db_mode.set(static_cast<int>(mode));
        LocationTest::SetUp();
        const Status started = kModule.hooks.start();
        ASSERT_TRUE(started) << started.error().text();
    }
    static int64_t rows() {
        const auto counted = store::count(0, store::Count::contacts);
        EXPECT_TRUE(counted) << counted.error().text();
        return counted ? *counted : -1;
    }
    std::filesystem::path folder_;
};

Fields everything() {
    Fields f;
    f[Text::uri] = "sip:alice@10.0.0.1:5060;transport=tls;x='\"%00";
    f[Text::call_id] = "c@1";
    f[Text::user_agent] = "phone";
    f[Text::received] = "sip:203.0.113.1:1234;transport=tls";
    f[Text::path] = "<sip:edge;lr>";
    f[Text::instance] = "<urn:uuid:1>";
    f[Text::ruid] = "uloc-7-7-7";
    f.expires = static_cast<uint32_t>(clock::unix_seconds()) + 1000;
    f.last_modified = f.expires - 1000;
    f.cseq = 77;
    f.flags = 3;
    f.cflags = 64;
    f.methods = sip::mask_of(sip::Method::invite) | sip::mask_of(sip::Method::refer);
    f.reg_id = 2;
    f.q = 750;
    f.connection = 99;
    return f;
}

TEST_F(Store, EveryFieldSurvivesARestart) {
    for (const DbMode mode : {DbMode::write_through, DbMode::write_back, DbMode::db_only}) {
        for (const bool domain : {false, true}) {
            settings.use_domain.set(domain);
            restart(mode);
            const std::string aor = domain ? "ali'ce@example.com" : "ali'ce";
            const Fields saved = everything();
            const Aor::Change change{nullptr, &saved};
            ASSERT_TRUE(Aor(0, aor).apply({&change, 1}));
            ASSERT_TRUE(sweep_all());
            restart(mode);
            {
                Aor record(0, aor);
                ASSERT_NE(record.first(), nullptr) << static_cast<int>(mode) << domain;
                const Fields got = record.first()->fields();
                for (size_t i = 1; i < kTexts; ++i) EXPECT_EQ(got.texts[i], saved.texts[i]) << i;
                EXPECT_EQ(got.expires, saved.expires);
                EXPECT_EQ(got.last_modified, saved.last_modified);
                EXPECT_EQ(got.cseq, 77u);
                EXPECT_EQ(got.flags, 3u);
                EXPECT_EQ(got.cflags, 64u);
                EXPECT_EQ(got.methods, saved.methods);
                EXPECT_EQ(got.reg_id, 2u);
                EXPECT_EQ(got.q, 750);
                EXPECT_EQ(got.connection, 0u) << "connections of another run mean nothing";
                EXPECT_EQ(record.first()->state, State::stored);
            }
            EXPECT_EQ(remove_all(0, aor), 1u);
            ASSERT_TRUE(sweep_all());
            EXPECT_EQ(rows(), 0);
        }
    }
}

TEST_F(Store, WriteBackWritesWithTheTimerAndDeletesWhatWasRemoved) {
    restart(DbMode::write_back);
    ASSERT_TRUE(save("alice", "sip:1"));
    EXPECT_EQ(rows(), 0);
    ASSERT_TRUE(sweep_all());
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(remove_all(0, "alice"), 1u);
    EXPECT_EQ(listed("alice"), "");
    EXPECT_EQ(totals(0).users, 0);
    EXPECT_EQ(rows(), 1);
    ASSERT_TRUE(sweep_all());
    EXPECT_EQ(rows(), 0);
    EXPECT_TRUE(valid());
    EXPECT_EQ(longest_bucket(), 0);
}

TEST_F(Store, WriteThroughWritesAtOnce) {
    restart(DbMode::write_through);
    ASSERT_TRUE(save("alice", "sip:1"));
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(remove_all(0, "alice"), 1u);
    EXPECT_EQ(rows(), 0);
}

TEST_F(Store, PermanentContactsStay) {
    restart(DbMode::write_through);
    Fields f = everything();
    f.expires = 0;
    const Aor::Change change{nullptr, &f};
    ASSERT_TRUE(Aor(0, "gate").apply({&change, 1}));
    restart(DbMode::write_through);
    Aor gate(0, "gate");
    ASSERT_NE(gate.first(), nullptr);
    EXPECT_EQ(gate.first()->expires, 0u);
}

// What the database did not take, of a new contact or of one that went, is written in the timer's next round.
TEST_F(Store, AFailedWriteIsTriedAgain) {
    for (const DbMode mode : {DbMode::write_back, DbMode::write_through, DbMode::db_only}) {
        restart(mode);
        const std::string good = settings.db_url.get();
        const auto fails = [&](auto&& change) {
            store::close();
            settings.db_url.set("sqlite:///nowhere/at/all");
            log::set_level(log::Level::alert);
            change();
            EXPECT_FALSE(sweep_all());
            settings.db_url.set(good);
            EXPECT_TRUE(sweep_all());
        };
        fails([&] { ASSERT_TRUE(save("alice", "sip:1")); });
        EXPECT_EQ(rows(), 1);
        fails([&] { EXPECT_EQ(remove_all(0, "alice"), 1u); });
        EXPECT_EQ(rows(), 0);
        EXPECT_TRUE(valid());
        EXPECT_EQ(longest_bucket(), 0);
    }
}

// It went while its row was being written by somebody else.
TEST_F(Store, ARowWhoseContactWentIsDeleted) {
    restart(DbMode::write_back);
    ASSERT_TRUE(save("alice", "sip:1"));
    std::vector<store::Row> copied;
    {
        Aor alice(0, "alice");
        copied.push_back(store::Row::of(*alice.first(), false));
    }
    EXPECT_EQ(remove_all(0, "alice"), 1u);
    ASSERT_TRUE(write_and_settle(copied));
    EXPECT_EQ(rows(), 0);
}

// Two write the same contact, and the older version comes last.
TEST_F(Store, AnOlderVersionWrittenLateIsCorrected) {
    restart(DbMode::write_back);
    ASSERT_TRUE(save("alice", "sip:1"));
    std::vector<store::Row> old;
    Fields newer;
    {
        Aor alice(0, "alice");
        old.push_back(store::Row::of(*alice.first(), false));
        newer = alice.first()->fields();
        newer.cseq = 77;
        const Aor::Change change{alice.first(), &newer};
        ASSERT_TRUE(alice.apply({&change, 1}));
    }
    ASSERT_TRUE(sweep_all());
    ASSERT_TRUE(write_and_settle(old));
    ASSERT_TRUE(sweep_all());
    restart(DbMode::write_back);
    EXPECT_EQ(Aor(0, "alice").first()->cseq, 77u);
}

}  // namespace
}  // namespace kahu::usrloc::test
