// test/unit/mem/every_instruction_test.cpp -- kills a process after each single instruction of an operation.
//
// WHY    The journal's promise is about any instruction, and a kill arrives most often right behind a locked one,
//        where no hook can stand.  Here the parent single-steps the child with ptrace, kills it after n steps,
//        recovers, and checks; for n = 0, 1, 2 ... until the operation is over (by default a dozen n per operation,
//        spread evenly).
#include <string.h>
#include <sys/ptrace.h>

#include <algorithm>
#include <functional>

#include "mem/heap_layout.h"
#include "mem/mpsc_queue.h"
#include "mem/recover.h"
#include "mem/rwlock.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {
namespace {

struct Node : QueueNode {};

// What the operations work on; in the segment.
struct Stage {
    volatile int finished;
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

// Kills per operation.  All of them take a minute or two: KAHU_MOST_KILLS=100000 make unit-mem.
long most_kills() {
    const char* wanted = getenv("KAHU_MOST_KILLS");
    return wanted ? std::max(1L, atol(wanted)) : 12;
}

class EveryInstruction : public testing::TestWithParam<size_t> {
  protected:
    // Parent's blocks, two blocks of slot 1 freed by the parent, three nodes queued.
    void build() {
        destroy_segment();
        create(4);
        stage = make<Stage>(Tag::rpc);
        memset(stage->lock_memory, 0, sizeof stage->lock_memory);
        stage->finished = 0;
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

    // Runs the operation for `steps` instructions and kills it; true if it was over by then.  `taken` says how many.
    bool run_and_kill(const Operation& operation, long steps, long& taken) {
        const pid_t child = spawn(1, [&] {
            operation.prepare(*stage);
            ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
            raise(SIGSTOP);
            operation.run(*stage);
            stage->finished = 1;
            for (;;) pause();
        });
        int status = 0;
        waitpid(child, &status, 0);
        allowed = WIFSTOPPED(status);
        for (taken = 0; allowed && taken < steps && !stage->finished; ++taken) {
            if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0 || waitpid(child, &status, 0) != child) break;
        }
        const bool over = stage->finished;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        return over;
    }

    void check(long step) {
        const RecoveryReport report = recover_slot(1);
        ASSERT_TRUE(report.heap_sane) << "step " << step;
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
    bool allowed = true;
};

TEST_P(EveryInstruction, LeavesASaneHeapLockAndQueue) {
    const Operation& operation = kOperations[GetParam()];
    build();
    long length = 0, taken = 0;
    const bool over = run_and_kill(operation, 1'000'000, length);
    if (!allowed) GTEST_SKIP() << "ptrace is not permitted here";
    ASSERT_TRUE(over);
    check(length);
    const long stride = std::max(1L, length / most_kills());
    for (long step = 0; step < length && !HasFailure(); step += stride) {
        build();
        run_and_kill(operation, step, taken);
        check(step);
    }
    printf("[ steps    ] %-28s %ld instructions, killed after every %ld.\n", operation.name, length, stride);
}
INSTANTIATE_TEST_SUITE_P(Operations, EveryInstruction, testing::Range(size_t{0}, std::size(kOperations)));

}  // namespace
}  // namespace kahu::mem::test
