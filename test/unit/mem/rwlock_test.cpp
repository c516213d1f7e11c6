// test/unit/mem/rwlock_test.cpp -- robust locks: who may hold what, exclusion between processes, and the death of
// holders and waiters at every step.
#include "mem/rwlock.h"

#include <string.h>
#include <time.h>

#include <vector>

#include "mem/failure.h"
#include "mem/guarded.h"
#include "mem/mutex.h"
#include "mem/recover.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {
namespace {

class Lock : public SegmentTest {
  protected:
    void SetUp() override {
        SegmentTest::SetUp();
        void* memory = allocate(64, Tag::other);
        memset(memory, 0, 64);
        lock = &RobustRwLock::at(memory);
    }
    RobustRwLock* lock = nullptr;
};

TEST_F(Lock, WhatAnotherProcessMayDoMeanwhile) {
    struct Case {
        void (*hold)(RobustRwLock&);
        bool reader_enters, writer_enters;
    };
    const Case cases[] = {{nullptr, true, true},
                          {[](RobustRwLock& l) { l.read_lock(); }, true, false},
                          {[](RobustRwLock& l) { l.write_lock(); }, false, false}};
    for (const Case& c : cases) {
        if (c.hold) c.hold(*lock);
        EXPECT_EQ(run_child(1,
                            [&] {
                                EXPECT_EQ(lock->try_read_lock(), c.reader_enters);
                                if (c.reader_enters) lock->unlock();
                                EXPECT_EQ(lock->try_write_lock(), c.writer_enters);
                                if (c.writer_enters) lock->unlock();
                            }),
                  End::clean);
        if (c.hold) lock->unlock();
    }
    EXPECT_FALSE(lock->held_by(0));
}

TEST_F(Lock, AWriterThatDiesWithAGlobalOneIsToldApart) {
    struct Case {
        bool global, writes;
        int writers, global_writers;
    };
    for (const Case& c : {Case{false, true, 1, 0}, {true, true, 1, 1}, {true, false, 0, 0}, {false, true, 1, 0}}) {
        lock->mark_global(c.global);
        EXPECT_EQ(run_child(1,
                            [&] {
                                if (c.writes) lock->write_lock();
                                else lock->read_lock();
                                raise(SIGKILL);
                            }),
                  End::killed);
        const RecoveryReport report = recover_slot(1);
        EXPECT_EQ(report.writers_released, c.writers);
        EXPECT_EQ(report.global_writers_released, c.global_writers);
        EXPECT_TRUE(lock->try_write_lock());
        lock->unlock();
    }
}

TEST_F(Lock, ReadersRecurse) {
    lock->read_lock();
    lock->read_lock();
    EXPECT_TRUE(lock->try_read_lock());
    EXPECT_FALSE(lock->try_write_lock());
    lock->unlock();
    lock->unlock();
    EXPECT_TRUE(lock->held_by(0));
    lock->unlock();
    EXPECT_FALSE(lock->held_by(0));
    lock->write_lock();
    EXPECT_FALSE(lock->try_read_lock());
    EXPECT_FALSE(lock->try_write_lock());
    lock->unlock();
}

// The dying child shares our locks: it dies in a slot of its own, which is then recovered.
#define EXPECT_DEATH_IN_SLOT_1(statement, message)      \
    EXPECT_DEATH((attach_slot(1), statement), message); \
    recover_slot(1)

TEST_F(Lock, WaitingForOneselfAndTooManyLocksAbort) {
    EXPECT_DEATH_IN_SLOT_1(lock->unlock(), "REQUIRE broken: held != nullptr");
    EXPECT_DEATH_IN_SLOT_1((lock->write_lock(), lock->write_lock()), "REQUIRE broken: journal.find");
    EXPECT_DEATH_IN_SLOT_1((lock->read_lock(), lock->write_lock()), "REQUIRE broken: journal.find");
    EXPECT_DEATH_IN_SLOT_1((lock->write_lock(), lock->read_lock()), "REQUIRE broken: !held->writing");
    auto* many = static_cast<std::byte*>(allocate(64 * (kMaxHeldLocks + 1), Tag::other));
    memset(many, 0, 64 * (kMaxHeldLocks + 1));
    const auto take_all = [&](int count) {
        for (int i = 0; i < count; ++i) RobustRwLock::at(many + 64 * i).read_lock();
    };
    EXPECT_DEATH_IN_SLOT_1(take_all(kMaxHeldLocks + 1), "REQUIRE broken: n < kMaxHeldLocks");
    take_all(kMaxHeldLocks);
    for (int i = 0; i < kMaxHeldLocks; i += 2) RobustRwLock::at(many + 64 * i).unlock();  // in any order
    for (int i = kMaxHeldLocks - 1; i > 0; i -= 2) RobustRwLock::at(many + 64 * i).unlock();
    for (int i = 0; i < kMaxHeldLocks; ++i) EXPECT_TRUE(RobustRwLock::at(many + 64 * i).try_write_lock()) << i;
}

struct Pair {
    alignas(8) std::byte lock_memory[56];
    volatile long left, right;  // equal unless somebody writes
};

void contend(Pair* pairs, int count, uint64_t seed, int rounds) {
    Random random{seed};
    for (int i = 0; i < rounds; ++i) {
        Pair& pair = pairs[random.below(count)];
        RobustRwLock& lock = RobustRwLock::at(pair.lock_memory);
        if (random.below(3) == 0) {
            WriteLock writing(lock);
            pair.left = pair.left + 1;
            pair.right = pair.right + 1;
        } else {
            ReadLock reading(lock);
            ReadLock again(lock);
            if (pair.left != pair.right && !lock.poisoned()) ADD_FAILURE() << "read in the middle of a write";
        }
    }
}

TEST_F(Lock, WritersExcludeEverybody) {
    auto* pair = static_cast<Pair*>(allocate(sizeof(Pair), Tag::other));
    memset(static_cast<void*>(pair), 0, sizeof(Pair));
    std::vector<pid_t> children;
    for (int slot = 1; slot <= 4; ++slot) children.push_back(spawn(slot, [&] { contend(pair, 1, slot, 20000); }));
    for (const pid_t child : children) EXPECT_EQ(wait_for(child), End::clean);
    EXPECT_EQ(pair->left, pair->right);
    EXPECT_GT(pair->left, 20000);
}

TEST_F(Lock, AWriterIsNotStarvedByAStreamOfReaders) {
    auto* stop = static_cast<std::atomic<int>*>(allocate(4, Tag::other));
    *stop = 0;
    std::vector<pid_t> readers;
    for (int slot = 1; slot <= 3; ++slot) {
        readers.push_back(spawn(slot, [&] {
            while (!*stop) ReadLock reading(*lock);
        }));
    }
    for (int i = 0; i < 50; ++i) WriteLock writing(*lock);
    *stop = 1;
    for (const pid_t reader : readers) EXPECT_EQ(wait_for(reader), End::clean);
}

TEST_F(Lock, RandomKillsNeverBlockTheOthers) {
    constexpr int kLocks = 4, kKills = 100;
    auto* pairs = static_cast<Pair*>(allocate(sizeof(Pair) * kLocks, Tag::other));
    memset(static_cast<void*>(pairs), 0, sizeof(Pair) * kLocks);
    const auto start = [&](int slot, int i) {
        return spawn(slot, [=] { contend(pairs, kLocks, 100 * i + slot, 1 << 30); });
    };
    pid_t children[4];
    for (int slot = 1; slot <= 3; ++slot) children[slot] = start(slot, 0);
    Random random{8};
    RecoveryReport sum;
    for (int i = 1; i <= kKills; ++i) {
        const timespec moment{0, static_cast<long>(random.below(4'000'000))};
        nanosleep(&moment, nullptr);
        const int slot = 1 + static_cast<int>(random.below(3));
        kill(children[slot], SIGKILL);
        EXPECT_EQ(wait_for(children[slot]), End::killed);
        const RecoveryReport report = recover_slot(slot);
        sum.writers_released += report.writers_released;
        sum.readers_released += report.readers_released;
        children[slot] = start(slot, i);
    }
    for (int slot = 1; slot <= 3; ++slot) {
        kill(children[slot], SIGKILL);
        EXPECT_EQ(wait_for(children[slot]), End::killed);
        sum.writers_released += recover_slot(slot).writers_released;
    }
    int deaths = 0;
    for (int i = 0; i < kLocks; ++i) {
        deaths += static_cast<int>(RobustRwLock::at(pairs[i].lock_memory).deaths());
        EXPECT_TRUE(RobustRwLock::at(pairs[i].lock_memory).try_write_lock()) << "nobody holds it";
    }
    EXPECT_EQ(deaths, sum.writers_released);
    printf("[ locks    ] %d kills: died as writer %d, as reader %d\n", kKills, sum.writers_released,
           sum.readers_released);
}

void lock_steps(RobustRwLock& outer, RobustRwLock& inner) {
    outer.read_lock();
    inner.write_lock();
    outer.read_lock();
    outer.unlock();
    outer.unlock();
    inner.unlock();
    if (inner.try_write_lock()) inner.unlock();
    if (outer.try_read_lock()) outer.unlock();
}

TEST_F(Lock, KilledAtEveryStep) {
    auto* memory = static_cast<std::byte*>(allocate(128, Tag::other));
    memset(memory, 0, 128);
    RobustRwLock &outer = RobustRwLock::at(memory), &inner = RobustRwLock::at(memory + 64);
    long nth = 0;
    int writers = 0, readers = 0;
    for (;; ++nth) {
        const uint32_t before = inner.deaths();
        const End end = run_child(1, [&] {
            kill_at(Point::lock, nth);
            lock_steps(outer, inner);
        });
        if (end == End::clean) break;
        ASSERT_EQ(end, End::killed);
        const bool died_writing = inner.held_by(1);
        const RecoveryReport report = recover_slot(1);
        EXPECT_EQ(report.writers_released, died_writing);
        EXPECT_EQ(inner.deaths(), before + report.writers_released);
        writers += report.writers_released;
        readers += report.readers_released;
        const RecoveryReport again = recover_slot(1);
        EXPECT_EQ(again.writers_released + again.readers_released, 0);
        ASSERT_TRUE(outer.try_write_lock()) << "step " << nth;
        ASSERT_TRUE(inner.try_write_lock()) << "step " << nth;
        outer.unlock();
        inner.unlock();
    }
    EXPECT_GT(nth, 20);
    EXPECT_GT(writers, 3);
    EXPECT_GT(readers, 3);
}

// The holder dies while others sleep on the lock; and a waiter dies too.
TEST_F(Lock, WaitersGoOnWhenTheHolderDies) {
    const pid_t holder = spawn(1, [&] {
        lock->write_lock();
        for (;;) pause();
    });
    while (!lock->held_by(1)) usleep(1000);
    const pid_t writer = spawn(2, [&] { WriteLock writing(*lock); });
    const pid_t reader = spawn(3, [&] { ReadLock reading(*lock); });
    const pid_t doomed = spawn(4, [&] { WriteLock writing(*lock); });
    usleep(50'000);
    kill(doomed, SIGKILL);
    EXPECT_EQ(wait_for(doomed), End::killed);
    EXPECT_EQ(recover_slot(4).writers_released, 0);
    kill(holder, SIGKILL);
    EXPECT_EQ(wait_for(holder), End::killed);
    EXPECT_EQ(recover_slot(1).writers_released, 1);
    EXPECT_EQ(wait_for(writer), End::clean);
    EXPECT_EQ(wait_for(reader), End::clean);
    EXPECT_TRUE(lock->poisoned());
    lock->mark_repaired();
    EXPECT_FALSE(lock->poisoned());
    EXPECT_EQ(lock->deaths(), 1u);
}

TEST_F(Lock, RecoveryLeavesMemoryAloneThatIsNoLockAnyMore) {
    EXPECT_EQ(run_child(1,
                        [&] {
                            lock->read_lock();
                            memset(static_cast<void*>(lock), 0xff, 56);
                        }),
              End::clean);
    const RecoveryReport report = recover_slot(1);
    EXPECT_EQ(report.readers_released + report.writers_released, 0);
    for (int i = 0; i < 56; ++i) EXPECT_EQ(reinterpret_cast<unsigned char*>(lock)[i], 0xff);
}

struct Account {
    long from = 100, to = 0;
    int repairs = 0;
    bool repairable = true;
    bool repair() noexcept {
        to = 100 - from;
        ++repairs;
        return repairable;
    }
};

TEST_F(Lock, MutexTellsTheNextOwnerUntilRepaired) {
    auto* mutex = ::new (allocate(sizeof(RobustMutex), Tag::other)) RobustMutex();
    EXPECT_EQ(mutex->lock(), Acquired::clean);
    mutex->unlock();
    EXPECT_EQ(run_child(1, [&] { (void)mutex->lock(); }), End::clean) << "leaves without unlock";
    Acquired how = Acquired::clean;
    EXPECT_FALSE(mutex->try_lock(how));
    EXPECT_EQ(recover_slot(1).writers_released, 1);
    EXPECT_EQ(mutex->lock(), Acquired::after_death);
    mutex->unlock();
    ASSERT_TRUE(mutex->try_lock(how));
    EXPECT_EQ(how, Acquired::after_death) << "until somebody has repaired it";
    mutex->mark_repaired();
    mutex->unlock();
    EXPECT_EQ(mutex->lock(), Acquired::clean);
    mutex->unlock();
    EXPECT_EQ(mutex->deaths(), 1u);
}

TEST_F(Lock, GuardedIsRepairedBeforeTheNextOwnerSeesIt) {
    auto* account = ::new (allocate(sizeof(Guarded<Account>), Tag::other)) Guarded<Account>();
    EXPECT_EQ(account->lock()->from, 100);
    EXPECT_EQ(run_child(1,
                        [&] {
                            auto held = account->lock();
                            held->from -= 30;
                            kill(getpid(), SIGKILL);
                        }),
              End::killed);
    EXPECT_EQ(recover_slot(1).writers_released, 1);
    EXPECT_EQ(account->lock()->to, 30);
    EXPECT_EQ(account->lock()->repairs, 1) << "once is enough";
    account->lock()->repairable = false;
    run_child(1, [&] {
        auto held = account->lock();
        kill(getpid(), SIGKILL);
    });
    recover_slot(1);
    EXPECT_DEATH_IN_SLOT_1((void)account->lock(), "REQUIRE broken: value_.repair\\(\\)");
}

}  // namespace
}  // namespace kahu::mem::test
