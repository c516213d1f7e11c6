// test/unit/mem/every_instruction_test.cpp -- heap, lock and queue with a user killed after any instruction
// (single_step.h).
#include "mem/heap_layout.h"
#include "mem/mpsc_queue.h"
#include "mem/rwlock.h"
#include "test/unit/mem/single_step.h"

#include <string.h>

#include <functional>

namespace kahu::mem::test {
namespace {

struct Node : QueueNode {};

// What the operations work on; in the segment.
struct Stage {
    void* own[8];
    void* parents[4];
    void* result;
    alignas(8) std::byte lock_memory[56];
    MpscQueue<Node> queue{Tag::outbound};
    volatile int handled;
    RobustRwLock& lock() { return RobustRwLock::at(lock_memory); }
};

struct Operation {
    const char* name;
    std::function<void(Stage&)> prepare;  // in the child, before the steps are counted
    std::function<void(Stage&)> run;
};

constexpr size_t kLarge = 200000;

void fill_a_span(Stage&) {
    for (int i = 0; i < 2; ++i) (void)allocate(32768, Tag::other);
}

const Operation kOperations[] = {
    {"reused block",
     [](Stage& s) {
         s.own[0] = allocate(64, Tag::other);
         deallocate(s.own[0], Tag::other);
     },
     [](Stage& s) { s.result = allocate(64, Tag::other); }},
    {"fresh block", [](Stage& s) { s.own[0] = allocate(64, Tag::other); },
     [](Stage& s) { s.result = allocate(64, Tag::other); }},
    {"own block freed",
     [](Stage& s) {
         for (void*& block : s.own) block = allocate(64, Tag::other);
     },
     [](Stage& s) { deallocate(s.own[3], Tag::other); }},
    {"parent's block freed", [](Stage&) {}, [](Stage& s) { deallocate(s.parents[0], Tag::other); }},
    {"fresh span", fill_a_span, [](Stage& s) { s.result = allocate(32768, Tag::other); }},
    {"empty span converted", [](Stage& s) { deallocate(allocate(64, Tag::other), Tag::other), (void)s; },
     [](Stage& s) { s.result = allocate(128, Tag::other); }},
    {"span becomes empty",
     [](Stage& s) {
         for (int i = 0; i < 4; ++i) s.own[i] = allocate(32768, Tag::other);
         deallocate(s.own[2], Tag::other);
         deallocate(s.own[0], Tag::other);
     },
     [](Stage& s) { deallocate(s.own[1], Tag::other); }},
    {"collect what others freed", [](Stage&) {}, [](Stage&) { tidy_heap(); }},
    {"large block", [](Stage&) {}, [](Stage& s) { s.result = allocate(kLarge, Tag::other); }},
    {"large block freed", [](Stage& s) { s.own[0] = allocate(kLarge, Tag::other); },
     [](Stage& s) { deallocate(s.own[0], Tag::other); }},
    {"parent's large block freed", [](Stage&) {}, [](Stage& s) { deallocate(s.parents[1], Tag::other); }},
    {"write lock", [](Stage&) {},
     [](Stage& s) {
         s.lock().write_lock();
         s.lock().unlock();
     }},
    {"read lock", [](Stage&) {},
     [](Stage& s) {
         s.lock().read_lock();
         s.lock().read_lock();
         s.lock().unlock();
         s.lock().unlock();
     }},
    {"push", [](Stage& s) { s.own[0] = make<Node>(Tag::outbound); },
     [](Stage& s) { s.queue.push(static_cast<Node*>(s.own[0])); }},
    {"consume", [](Stage&) {}, [](Stage& s) { s.queue.consume([&](Node&) { s.handled = s.handled + 1; }, 2); }},
};

class EveryInstruction : public testing::TestWithParam<size_t> {
  protected:
    // Parent's blocks, two blocks of slot 1 freed by the parent, three nodes queued.
    void build() {
        destroy_segment();
        create(4);
        stage = make<Stage>(Tag::rpc);
        memset(stage->lock_memory, 0, sizeof stage->lock_memory);
        stage->handled = 0;
        stage->parents[0] = allocate(64, Tag::other);
        stage->parents[1] = allocate(kLarge, Tag::other);
        attach_slot(1);
        void* theirs[] = {allocate(64, Tag::other), allocate(64, Tag::other)};
        attach_slot(0);
        for (void* block : theirs) deallocate(block, Tag::other);
        for (int i = 0; i < 3; ++i) stage->queue.push(make<Node>(Tag::outbound));
    }
    void TearDown() override {
        destroy_segment();
        attach_slot(-1);
    }

    void check(long step) {
        expect_accounts_match_walk();
        ASSERT_FALSE(stage->lock().held_by(1)) << "step " << step;
        attach_slot(1);
        const int handled_before = stage->handled;
        while (!stage->queue.empty()) stage->queue.consume([&](Node&) { stage->handled = stage->handled + 1; }, 10);
        stage->queue.consume([&](Node&) {}, 10);
        EXPECT_GE(stage->handled, 3) << "no message is lost";
        EXPECT_LE(stage->handled, 5) << "3, one pushed by the child, one twice; before: " << handled_before;
        tidy_heap();
        attach_slot(0);
        tidy_heap();
        expect_accounts_match_walk();
        EXPECT_LE(heap_stats().by_tag[static_cast<int>(Tag::outbound)].blocks, 1);
        ASSERT_FALSE(HasFailure()) << kOperations[GetParam()].name << ", step " << step;
    }

    Stage* stage = nullptr;
};

TEST_P(EveryInstruction, LeavesASaneHeapLockAndQueue) {
    const Operation& operation = kOperations[GetParam()];
    die_everywhere(
        operation.name, [&] { build(); }, [&] { operation.prepare(*stage); }, [&] { operation.run(*stage); },
        [&](long step) { check(step); });
}
INSTANTIATE_TEST_SUITE_P(Operations, EveryInstruction, testing::Range(size_t{0}, std::size(kOperations)));

}  // namespace
}  // namespace kahu::mem::test
