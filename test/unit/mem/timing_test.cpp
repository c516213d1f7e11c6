// test/unit/mem/timing_test.cpp -- prints what operations cost.  Asserts nothing: machines differ.
#include <string.h>
#include <time.h>

#include <cstdio>
#include <vector>

#include "mem/hazard.h"
#include "mem/mpsc_queue.h"
#include "mem/rwlock.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {
namespace {

using Timing = SegmentTest;

double now() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

template <class F>
void measure(const char* what, int operations, F&& work) {
    double best = 1e18;
    for (int run = 0; run < 5; ++run) {
        const double start = now();
        work();
        const double cost = (now() - start) / operations;
        best = cost < best ? cost : best;
    }
    printf("[ timing   ] %-44s %6.1f ns\n", what, best);
}

// Wall time per operation when `processes` do the same at once.
template <class F>
void measure_together(const char* what, int processes, int operations, F&& work) {
    timespec start{}, end{};
    clock_gettime(CLOCK_MONOTONIC, &start);
    std::vector<pid_t> children;
    for (int slot = 1; slot <= processes; ++slot) children.push_back(spawn(slot, work));
    for (const pid_t child : children) EXPECT_EQ(wait_for(child), End::clean);
    clock_gettime(CLOCK_MONOTONIC, &end);
    const auto seconds = static_cast<double>(end.tv_sec - start.tv_sec);
    const double total = seconds * 1e9 + static_cast<double>(end.tv_nsec - start.tv_nsec);
    printf("[ timing   ] %-44s %6.1f ns wall, %d processes\n", what, total / operations, processes);
}

TEST_F(Timing, PrintedForTwoProcesses) {
    constexpr int kRounds = 1000000;
    RobustRwLock& lock = RobustRwLock::at(memset(allocate(64, Tag::other), 0, 64));
    measure_together("allocate + deallocate, 64 bytes", 2, kRounds, [] {
        for (int i = 0; i < kRounds; ++i) deallocate(allocate(64, Tag::openssl), Tag::openssl);
    });
    measure_together("read_lock + unlock of one lock", 2, kRounds, [&] {
        for (int i = 0; i < kRounds; ++i) ReadLock reading(lock);
    });
    measure_together("write_lock + unlock of one lock", 2, kRounds, [&] {
        for (int i = 0; i < kRounds; ++i) WriteLock writing(lock);
    });
}

TEST_F(Timing, Printed) {
    constexpr int kRounds = 200000;
    measure("allocate + deallocate, 64 bytes, same block", kRounds, [] {
        for (int i = 0; i < kRounds; ++i) deallocate(allocate(64, Tag::openssl), Tag::openssl);
    });
    std::vector<void*> blocks(763);
    Random random{1};
    std::vector<size_t> sizes(blocks.size());
    for (size_t& size : sizes) size = 16 + random.below(random.below(10) ? 300 : 4000);
    measure("allocate + deallocate, 763 mixed blocks", 763 * 50, [&] {
        for (int round = 0; round < 50; ++round) {
            for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = allocate(sizes[i], Tag::openssl);
            for (void* block : blocks) deallocate(block, Tag::openssl);
        }
    });
    measure("the same with malloc + free", 763 * 50, [&] {
        for (int round = 0; round < 50; ++round) {
            for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = malloc(sizes[i]);
            for (void* block : blocks) free(block);
        }
    });
    measure("free of another slot's block, and its return", 10000, [&] {
        std::vector<void*> theirs(10000);
        for (void*& block : theirs) block = allocate(64, Tag::outbound);
        attach_slot(1);
        for (void* block : theirs) deallocate(block, Tag::outbound);
        attach_slot(0);
        tidy_heap();
    });
    RobustRwLock& lock = RobustRwLock::at(memset(allocate(64, Tag::other), 0, 64));
    measure("read_lock + unlock", kRounds, [&] {
        for (int i = 0; i < kRounds; ++i) ReadLock reading(lock);
    });
    measure("write_lock + unlock", kRounds, [&] {
        for (int i = 0; i < kRounds; ++i) WriteLock writing(lock);
    });
    struct Node : QueueNode {};
    auto* queue = make<MpscQueue<Node>>(Tag::other, Tag::outbound);
    measure("queue: make, push, consume, in batches of 16", 16 * 2000, [&] {
        for (int i = 0; i < 2000; ++i) {
            for (int k = 0; k < 16; ++k) queue->push(make<Node>(Tag::outbound));
            queue->consume([](Node&) {}, 100);
        }
    });
    int object = 0;
    const std::atomic<int*> published{&object};
    measure("hazard: protect + clear", kRounds, [&] {
        for (int i = 0; i < kRounds; ++i) protect(published), clear_hazard();
    });
    measure("64 KiB run: allocate + deallocate", 2000, [] {
        for (int i = 0; i < 2000; ++i) deallocate(allocate(65536, Tag::other), Tag::other);
    });
}

}  // namespace
}  // namespace kahu::mem::test
