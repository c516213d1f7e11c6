// test/unit/usrloc/table_test.cpp -- contacts in the segment: changes are whole or nothing, whoever dies.
#include <fmt/format.h>

#include "core/modules/usrloc/settings.h"
#include "core/modules/usrloc/sweep.h"
#include "mem/failure.h"
#include "mem/heap.h"
#include "mem/recover.h"
#include "test/unit/usrloc/fixture.h"

namespace kahu::usrloc::test {
namespace {

using mem::test::End;

class Location : public LocationTest {};

TEST_F(Location, KeepsContactsByUserInTheOrderTheyCame) {
    ASSERT_TRUE(save("alice", "sip:1"));
    ASSERT_TRUE(save("bob", "sip:b"));
    ASSERT_TRUE(save("alice", "sip:2"));
    ASSERT_TRUE(save("alice", "sip:3"));
    EXPECT_EQ(listed("alice"), "sip:1 sip:2 sip:3");
    EXPECT_EQ(listed("bob"), "sip:b");
    EXPECT_EQ(listed("carol"), "");
    EXPECT_EQ(totals(0).users, 2);
    EXPECT_EQ(totals(0).contacts, 4);
    EXPECT_EQ(remove_all(0, "alice"), 3u);
    EXPECT_EQ(listed("alice"), "");
    EXPECT_EQ(totals(0).users, 1);
    EXPECT_TRUE(valid());
}

TEST_F(Location, ReplacesRemovesAndAddsAtOnce) {
    for (const char* uri : {"sip:1", "sip:2", "sip:3", "sip:4"}) ASSERT_TRUE(save("alice", uri));
    Fields two = contact("sip:2"), five = contact("sip:5");
    two[Text::call_id] = "another";
    {
        Aor alice(0, "alice");
        Contact* const first = alice.first();
        Contact* const second = alice.next(first);
        Contact* const third = alice.next(second);
        const Aor::Change changes[] = {{third, nullptr}, {nullptr, &five}, {second, &two}};
        ASSERT_TRUE(alice.apply(changes));
    }
    EXPECT_EQ(listed("alice"), "sip:1 sip:2 sip:4 sip:5");
    EXPECT_EQ(totals(0).contacts, 4);
    EXPECT_TRUE(valid());
}

TEST_F(Location, RefreshingKeepsTheBlock) {
    ASSERT_TRUE(save("alice", "sip:1"));
    Aor alice(0, "alice");
    Contact* const before = alice.first();
    Fields again = before->fields();
    again.cseq = 2;
    const Aor::Change change{before, &again};
    ASSERT_TRUE(alice.apply({&change, 1}));
    EXPECT_EQ(alice.first(), before);
    EXPECT_EQ(alice.first()->cseq, 2u);
}

TEST_F(Location, RefusesTextsThatAreTooLong) {
    const std::string longest(2048, 'a'), longer(2049, 'a');
    EXPECT_TRUE(save("alice", longest));
    EXPECT_FALSE(save("alice", longer));
    EXPECT_EQ(totals(0).contacts, 1);
}

TEST_F(Location, ExpiredContactsStayInvisibleForTheDelay) {
    settings.rm_expired_delay.set(3600);
    ASSERT_TRUE(save("alice", "sip:1", 0));
    ASSERT_TRUE(sweep_all());
    EXPECT_EQ(listed("alice"), "");
    EXPECT_EQ(totals(0).contacts, 1);
    settings.rm_expired_delay.set(0);
    ASSERT_TRUE(sweep_all());
    EXPECT_EQ(totals(0).contacts, 0);
}

TEST_F(Location, ExpiredContactsAreInvisibleAndSweptAway) {
    ASSERT_TRUE(save("alice", "sip:1", 0));
    ASSERT_TRUE(save("alice", "sip:2"));
    ASSERT_TRUE(save("bob", "sip:b", 0));
    EXPECT_EQ(listed("alice"), "sip:2");
    EXPECT_EQ(listed("bob"), "");
    EXPECT_EQ(totals(0).contacts, 3);
    ASSERT_TRUE(sweep_all());
    EXPECT_EQ(totals(0).contacts, 1);
    EXPECT_EQ(totals(0).users, 1);
    EXPECT_EQ(totals(0).expired, 2);
    EXPECT_TRUE(valid());
}

// All slices of one timer_interval together see everything.
TEST_F(Location, SlicesMakeARound) {
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(save(fmt::format("u{}", i), "sip:x", 0));
    for (int64_t ms = 0; ms < settings.timer_interval * 1000; ms += kSweepTickMs) sweep_slice();
    EXPECT_EQ(totals(0).contacts, 0);
}

TEST_F(Location, FailsCleanlyAtEveryAllocation) {
    ASSERT_TRUE(save("alice", "sip:1"));
    ASSERT_TRUE(save("alice", "sip:2"));
    const Fields a = contact("sip:a"), b = contact("sip:b");
    const auto before = mem::heap_stats().used;
    for (long nth = 0;; ++nth) {
        bool done = false, fired = false;
        {
            Aor alice(0, "alice");
            const Aor::Change changes[] = {{alice.first(), &a}, {nullptr, &b}};
            mem::FailAllocation failing(nth);
            done = alice.apply(changes);
            fired = failing.fired();
        }
        EXPECT_EQ(done, !fired);
        if (!fired) break;
        EXPECT_EQ(listed("alice"), "sip:1 sip:2");
        EXPECT_EQ(mem::heap_stats().used, before);
    }
    EXPECT_EQ(listed("alice"), "sip:a sip:2 sip:b");
    EXPECT_TRUE(valid());
}

// A worker is killed at every step of a change of three contacts: the next one sees all of it or nothing.
TEST_F(Location, DeathAtAnyStepLeavesOldOrNew) {
    const std::string before = "sip:1 sip:2 sip:3", after = "sip:1 sip:b sip:c";
    for (const char* uri : {"sip:1", "sip:2", "sip:3"}) ASSERT_TRUE(save("alice", uri));
    ASSERT_TRUE(save("bob", "sip:bob"));
    const Fields b = contact("sip:b"), c = contact("sip:c");
    long killed = 0, olds = 0, news = 0;
    for (long nth = 0;; ++nth) {
        const End end = mem::test::run_child(1, [&] {
            mem::kill_at(mem::Point::lock, nth);
            Aor alice(0, "alice");
            Contact* const second = alice.next(alice.first());
            const Aor::Change changes[] = {{second, &b}, {alice.next(second), nullptr}, {nullptr, &c}};
            (void)alice.apply(changes);
        });
        if (end == End::clean) break;
        ++killed;
        mem::recover_slot(1);
        const std::string now = listed("alice");
        ASSERT_TRUE(now == before || now == after) << "killed at step " << nth << ": " << now;
        ASSERT_TRUE(valid()) << nth;
        EXPECT_EQ(listed("bob"), "sip:bob");
        EXPECT_EQ(totals(0).contacts, 4);
        (now == before ? olds : news) += 1;
        remove_all(0, "alice");
        for (const char* uri : {"sip:1", "sip:2", "sip:3"}) ASSERT_TRUE(save("alice", uri));
    }
    EXPECT_GT(olds, 5);
    EXPECT_GT(news, 5);
    EXPECT_GT(killed, 15);
}

// Also a removal and an insertion alone, and the timer's removal of one that expired.
TEST_F(Location, DeathOfOtherChanges) {
    std::string alice = "alice";  // whom the sweep meets first
    for (int i = 0; bucket_of(hash_of(0, alice)) % kShards != 0; ++i) alice = fmt::format("alice{}", i);
    for (int kind = 0; kind < 3; ++kind)
        for (long nth = 0;; ++nth) {
            remove_all(0, alice);
            ASSERT_TRUE(save(alice, "sip:1", kind == 2 ? 0 : 600));
            ASSERT_TRUE(save(alice, "sip:2"));
            const End end = mem::test::run_child(1, [&] {
                mem::kill_at(mem::Point::lock, nth);
                if (kind == 0) {
                    remove_all(0, alice);
                } else if (kind == 1) {
                    (void)save(alice, "sip:3");
                } else {
                    (void)sweep_all();
                }
            });
            if (end == End::clean) break;
            mem::recover_slot(1);
            const std::string now = listed(alice);
            ASSERT_TRUE(valid()) << kind << " " << nth;
            ASSERT_TRUE(now == "sip:1 sip:2" || now == "" || now == "sip:1 sip:2 sip:3" || now == "sip:2") << now;
            ASSERT_TRUE(sweep_all());
            if (kind == 2 && nth > 400) break;  // the rest is other shards' locks
        }
}

TEST_F(Location, AContactTakesLessThan450Bytes) {
    Fields typical = contact("sip:1001@192.168.100.100:49152;transport=tls;rinstance=8f2c1d7b5a3e9f01");
    typical[Text::call_id] = "bf14d2a87f1e4a3a9c6a@192.168.100.100";
    typical[Text::user_agent] = "Yealink SIP-T46S 66.86.0.15";
    typical[Text::received] = "sip:203.0.113.200:49152;transport=tls";
    typical[Text::instance] = "<urn:uuid:00000000-0000-1000-8000-001565a1b2c3>";
    typical[Text::ruid] = "uloc-65a1b2c3-1a2b3-1f4a2";
    const auto before = mem::heap_stats().used;
    constexpr int kMany = 2000;
    for (int i = 0; i < kMany; ++i) {
        const std::string aor = fmt::format("user{:06}@example.com", i);
        const Aor::Change change{nullptr, &typical};
        ASSERT_TRUE(Aor(0, aor).apply({&change, 1}));
    }
    const double each = static_cast<double>(mem::heap_stats().used - before) / kMany;
    printf("bytes per contact: %.0f of which header %zu\n", each, sizeof(Contact));
    EXPECT_LE(each + 8.0, 450.0);
}

}  // namespace
}  // namespace kahu::usrloc::test
