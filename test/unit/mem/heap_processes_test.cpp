// test/unit/mem/heap_processes_test.cpp -- several processes on one heap, and what remains when they are killed.
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <vector>

#include "mem/failure.h"
#include "mem/heap.h"
#include "mem/recover.h"
#include "test/unit/mem/segment_fixture.h"
#include "test/unit/mem/single_step.h"

namespace kahu::mem::test {
namespace {

using HeapProcesses = SegmentTest;

// Blocks in a place all processes see, so that any of them can free what another allocated.
struct Exchange {
    static constexpr size_t kPlaces = 512;
    std::atomic<uint64_t*> place[kPlaces];
};

// A block says how long it is and carries a pattern to its end.
void fill(uint64_t* block, size_t words) {
    for (size_t i = 0; i < words; ++i) block[i] = words * 1000 + i;
}
bool intact(const uint64_t* block) {
    const size_t words = block[0] / 1000;
    if (words == 0 || words > usable_size(block) / 8) return false;
    for (size_t i = 0; i < words; ++i) {
        if (block[i] != words * 1000 + i) return false;
    }
    return true;
}

void trade(Exchange& exchange, uint64_t seed, int rounds) {
    Random random{seed};
    for (int i = 0; i < rounds; ++i) {
        const size_t words = 1 + random.below(random.below(64) ? 60 : 6000);
        auto* mine = static_cast<uint64_t*>(allocate(words * 8, Tag::message));
        if (!mine) continue;
        fill(mine, words);
        uint64_t* other = exchange.place[random.below(Exchange::kPlaces)].exchange(mine);
        if (!other) continue;
        if (!intact(other)) {
            ADD_FAILURE() << "a block was changed by somebody else";
            return;
        }
        deallocate(other, Tag::message);
        if (i % 1000 == 0) tidy_heap();
    }
}

void empty(Exchange& exchange) {
    for (auto& place : exchange.place) {
        if (uint64_t* block = place.exchange(nullptr)) {
            EXPECT_TRUE(intact(block));
            deallocate(block, Tag::message);
        }
    }
}

// Everybody takes back what others freed for it, then nothing may be left.
void expect_heap_comes_back(int slots, size_t bytes_lost_at_most = 0) {
    for (int slot = 0; slot < slots; ++slot) {
        attach_slot(slot);
        tidy_heap();
    }
    attach_slot(0);
    expect_accounts_match_walk();
    EXPECT_EQ(walk_heap().pending, 0u);
    EXPECT_LE(walk_heap().used, bytes_lost_at_most);
}

TEST_F(HeapProcesses, FourTradeBlocksAndNothingIsLostOrTorn) {
    auto* exchange = static_cast<Exchange*>(allocate(sizeof(Exchange), Tag::other));
    memset(static_cast<void*>(exchange), 0, sizeof(Exchange));
    std::vector<pid_t> children;
    for (int slot = 1; slot <= 4; ++slot) {
        children.push_back(spawn(slot, [&] { trade(*exchange, 77u * slot, 30000); }));
    }
    for (const pid_t child : children) EXPECT_EQ(wait_for(child), End::clean);
    expect_accounts_match_walk();
    empty(*exchange);
    deallocate(exchange, Tag::other);
    expect_heap_comes_back(5);
    EXPECT_EQ(heap_stats().real_used, 0u);
}

TEST_F(HeapProcesses, WalkWhileOthersRunSeesDamageOnlyWhereItIs) {
    auto* exchange = static_cast<Exchange*>(allocate(sizeof(Exchange), Tag::other));
    memset(static_cast<void*>(exchange), 0, sizeof(Exchange));
    auto** victim = static_cast<void**>(allocate(1500, Tag::other));
    auto* neighbour = allocate(1500, Tag::other);
    pid_t children[4];
    for (int slot = 1; slot <= 3; ++slot) {
        children[slot] = spawn(slot, [&] { trade(*exchange, 5u * slot, 1 << 30); });
    }
    for (int i = 0; i < 20; ++i) {
        const WalkResult walk = walk_heap(Others::running);
        EXPECT_TRUE(walk.valid) << walk.reason;
    }
    deallocate(victim, Tag::other);
    *victim = neighbour;
    EXPECT_FALSE(walk_heap(Others::running).valid) << "a used block is in a free list: the count cannot be right";
    *victim = nullptr;
    for (int slot = 1; slot <= 3; ++slot) {
        kill(children[slot], SIGKILL);
        EXPECT_EQ(wait_for(children[slot]), End::killed);
        recover_slot(slot);
    }
    expect_accounts_match_walk();
}

// An owner that got no processor for a while, or is dead and not recovered yet, in the midst of an operation.
TEST_F(HeapProcesses, WalkWaitsForAnOwnerInTheMidstOfAnOperation) {
    bool halfway = false;
    for (long step = 0; step < 200 && !halfway; ++step) {
        EXPECT_EQ(run_child(1,
                            [&] {
                                void* block = allocate(64, Tag::other);
                                kill_at(Point::alloc, step);
                                deallocate(block, Tag::other);
                                for (int i = 0; i < 100; ++i) (void)allocate(64, Tag::other);
                            }),
                  End::killed);
        halfway = !walk_heap(Others::at_rest).valid;
        if (!halfway) recover_slot(1);
    }
    ASSERT_TRUE(halfway) << "no step leaves a span that looks wrong";
    const pid_t late = spawn(2, [] {
        usleep(700'000);
        recover_slot(1);
    });
    const WalkResult walk = walk_heap(Others::running);
    EXPECT_TRUE(walk.valid) << walk.reason;
    EXPECT_EQ(wait_for(late), End::clean);
}

// Killed at any moment, recovered, replaced; the others never stop.
TEST_F(HeapProcesses, RandomKillsLoseAtMostOneBlockEach) {
    auto* exchange = static_cast<Exchange*>(allocate(sizeof(Exchange), Tag::other));
    memset(static_cast<void*>(exchange), 0, sizeof(Exchange));
    Random random{4711};
    pid_t children[4];
    const auto start = [&](int slot) { return spawn(slot, [&] { trade(*exchange, random.state + slot, 1 << 30); }); };
    for (int slot = 1; slot <= 3; ++slot) children[slot] = start(slot);
    constexpr int kKills = 100;
    for (int i = 0; i < kKills; ++i) {
        const timespec moment{0, static_cast<long>(random.below(8'000'000))};
        nanosleep(&moment, nullptr);
        const int slot = 1 + static_cast<int>(random.below(3));
        kill(children[slot], SIGKILL);
        ASSERT_EQ(wait_for(children[slot]), End::killed);
        EXPECT_TRUE(recover_slot(slot).heap_sane);
        children[slot] = start(slot);
    }
    for (int slot = 1; slot <= 3; ++slot) {
        kill(children[slot], SIGKILL);
        wait_for(children[slot]);
        recover_slot(slot);
        EXPECT_TRUE(recover_slot(slot).heap_sane) << "once more does no harm";
    }
    expect_accounts_match_walk();
    empty(*exchange);
    deallocate(exchange, Tag::other);
    // Per kill: one block half freed to another, and one each that the dead process had between allocate() and the
    // exchange and between the exchange and deallocate().
    expect_heap_comes_back(4, (kKills + 3) * 3 * 64 << 10);
}

// Every kind of step: fresh block, reused block, own free, free to another, collect, large, another's large, realloc,
// tidy.  What is held is noted in `held`, so that nothing but the heap's own loss can be lost.
struct Held {
    static constexpr int kBlocks = 24;
    void* own[kBlocks];
    void* from_parent[kBlocks];
};

constexpr size_t size_of(int i) { return i % 8 == 7 ? 70000u * (i / 8 + 1) : 20u << (i % 8); }

void all_kinds_of_steps(Held& held) {
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < Held::kBlocks; ++i) {
            if (!held.own[i]) held.own[i] = allocate(size_of(i), Tag::contact);  // else: a dead predecessor's
        }
        for (int i = 0; i < Held::kBlocks; i += 2) {
            void* block = held.own[i];
            held.own[i] = nullptr;
            deallocate(block, Tag::contact);
        }
        for (int i = 1; i < Held::kBlocks; i += 2) {
            void* block = held.own[i];
            held.own[i] = nullptr;
            deallocate(block, Tag::contact);
        }
        tidy_heap();
        for (void*& place : held.from_parent) {
            void* block = place;
            place = nullptr;
            deallocate(block, Tag::contact);
        }
    }
}

class KilledInTheHeap : public SegmentTest {
  protected:
    // Prepares what the child frees, and leaves remote frees for the child's slot to collect.
    void prepare() {
        held = static_cast<Held*>(allocate(sizeof(Held), Tag::other));
        memset(static_cast<void*>(held), 0, sizeof(Held));
        for (int i = 0; i < Held::kBlocks; ++i) held->from_parent[i] = allocate(size_of(i), Tag::contact);
        attach_slot(1);
        void* for_child[6];
        for (void*& block : for_child) block = allocate(20, Tag::contact);
        attach_slot(0);
        for (void* block : for_child) deallocate(block, Tag::contact);
    }
    void free_all() {
        for (void* block : held->own) deallocate(block, Tag::contact);
        for (void* block : held->from_parent) deallocate(block, Tag::contact);
        deallocate(held, Tag::other);
    }
    Held* held = nullptr;
};

TEST_F(KilledInTheHeap, AtEveryStep) {
    const long stride = most_kills(0) > 0 ? 1 : 3;  // all of them are for a quiet hour
    int settled = 0, lost = 0;
    long nth = 0;
    for (;; nth += stride) {
        TearDown();
        SetUp();
        prepare();
        const End end = run_child(1, [&] {
            kill_at(Point::alloc, nth);
            all_kinds_of_steps(*held);
        });
        if (end == End::clean) break;
        ASSERT_EQ(end, End::killed) << "step " << nth;
        const RecoveryReport report = recover_slot(1);
        settled += report.heap_operation_settled;
        ASSERT_TRUE(report.heap_sane) << "step " << nth;
        expect_accounts_match_walk();
        ASSERT_FALSE(HasFailure()) << "step " << nth;
        ASSERT_EQ(run_child(1, [&] { all_kinds_of_steps(*held); }), End::clean) << "successor at step " << nth;
        expect_accounts_match_walk();
        free_all();
        for (int slot = 0; slot < 2; ++slot) {
            attach_slot(slot);
            tidy_heap();
        }
        attach_slot(0);
        expect_accounts_match_walk();
        const WalkResult walk = walk_heap();
        ASSERT_LE(walk.blocks, 1u) << "step " << nth;
        ASSERT_LE(walk.spans, 1u) << "step " << nth;
        lost += walk.blocks != 0;
        ASSERT_FALSE(HasFailure()) << "step " << nth;
    }
    EXPECT_GT(nth, 500) << "the hook reaches all the steps";
    EXPECT_GT(settled, 150);
    RecordProperty("steps", static_cast<int>(nth));
    printf("[ heap     ] killed at every %ld. of %ld steps: %d operations settled, %d blocks lost\n", stride, nth,
           settled, lost);
}

TEST_F(HeapProcesses, SuccessorUsesItsPredecessorsFreeBlocks) {
    void** shared = static_cast<void**>(allocate(8, Tag::other));
    EXPECT_EQ(run_child(3,
                        [&] {
                            void* keep = allocate(48, Tag::other);
                            *shared = allocate(48, Tag::other);
                            deallocate(*shared, Tag::other);
                            (void)keep;
                        }),
              End::clean);
    recover_slot(3);
    EXPECT_EQ(run_child(3, [&] { EXPECT_EQ(allocate(48, Tag::other), *shared); }), End::clean);
}

TEST_F(HeapProcesses, RecoveryOfAScribbledSlotReportsAndNeverCrashes) {
    Random random{5};
    int insane = 0;
    for (int i = 0; i < 100; ++i) {
        TearDown();
        SetUp();
        ASSERT_EQ(run_child(1,
                            [&] {
                                for (int k = 0; k < 500; ++k) {
                                    void* block = allocate(16 + random.below(2000), Tag::other);
                                    if (k % 3) deallocate(block, Tag::other);
                                }
                            }),
                  End::clean);
        const SegmentInfo info = segment_info();
        auto* base = static_cast<unsigned char*>(const_cast<void*>(info.base));
        for (int k = 0; k < 200; ++k) {
            const uint64_t junk = random.next();
            memcpy(base + random.below(info.bytes - info.heap_bytes - 8), &junk, 8);
        }
        insane += !recover_slot(1).heap_sane;
    }
    EXPECT_GT(insane, 50);
}

}  // namespace
}  // namespace kahu::mem::test
