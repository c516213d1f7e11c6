// test/unit/mem/segment_fixture.h -- a fresh segment per test, and children that work or die in it.
#pragma once
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "mem/heap.h"
#include "mem/segment.h"
#include "mem/slot.h"

namespace kahu::mem::test {

inline void create(size_t megabytes, std::span<const Part> parts = {}) {
    std::string why;
    ASSERT_TRUE(create_segment(megabytes << 20, parts, why)) << why;
    attach_slot(0);
}

class SegmentTest : public testing::Test {
  protected:
    void SetUp() override { create(32); }
    void TearDown() override {
        destroy_segment();
        attach_slot(-1);
    }
};

// Forks; the child attaches to `slot`, does `work()` and leaves with 0.
template <class F>
pid_t spawn(int slot, F&& work) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    alarm(60);  // nothing here may hang for ever
    attach_slot(slot);
    work();
    _exit(testing::Test::HasFailure() ? 1 : 0);
}

enum class End { clean, failed, killed, crashed };

inline End wait_for(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? End::clean : End::failed;
    return WTERMSIG(status) == SIGKILL ? End::killed : End::crashed;
}

template <class F>
End run_child(int slot, F&& work) {
    return wait_for(spawn(slot, work));
}

// The walk's recount and the accounts must agree to the byte when everyone is at rest.
inline void expect_accounts_match_walk() {
    const WalkResult walk = walk_heap();
    const HeapStats stats = heap_stats();
    ASSERT_TRUE(walk.valid) << walk.reason;
    EXPECT_EQ(walk.used, stats.used);
    EXPECT_EQ(walk.spans * (64 << 10), stats.real_used);
    int64_t blocks = 0;
    for (const TagUse& use : stats.by_tag) blocks += use.blocks;
    EXPECT_EQ(static_cast<int64_t>(walk.blocks), blocks);
}

struct Random {  // xorshift: the same run every time
    uint64_t state;
    uint64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        return state ^= state << 17;
    }
    size_t below(size_t n) { return next() % n; }
};

}  // namespace kahu::mem::test
