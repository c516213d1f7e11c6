// test/unit/mem/single_step.h -- kills a process after each single instruction of an operation.
//
// WHY    What a shared structure promises about its users' deaths is about any instruction, and a kill arrives most
//        often right behind a locked one, where no hook can stand.  Here the parent single-steps a child with ptrace,
//        kills it after n steps, recovers its slot, and looks.
// LIVES  n is spread evenly over the operation, a dozen by default; KAHU_MOST_KILLS=100000 make unit-mem takes all.
//        0 takes none: under a sanitizer steps are slow and show nothing more.
#pragma once
#include <sys/ptrace.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "mem/recover.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {

inline constexpr int kVictimSlot = 1;

inline long most_kills(long usual = 12) {
    const char* wanted = getenv("KAHU_MOST_KILLS");
    return wanted ? std::max(0L, atol(wanted)) : usual;
}

struct Stepped {
    bool allowed = false;  // ptrace is
    bool over = false;     // `work` had been done by then
    long taken = 0;        // instructions
};

// A child in kVictimSlot prepares, then works for at most `steps` instructions, and is killed.
template <class Prepare, class Work>
Stepped work_and_die(long steps, Prepare&& prepare, Work&& work) {
    const pid_t child = spawn(kVictimSlot, [&] {
        prepare();
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        raise(SIGSTOP);
        work();
        raise(SIGSTOP);
    });
    int status = 0;
    Stepped result;
    waitpid(child, &status, 0);
    result.allowed = WIFSTOPPED(status);
    while (result.allowed && result.taken < steps && !result.over) {
        if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0 || waitpid(child, &status, 0) != child) break;
        ++result.taken;
        result.over = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
        if (!WIFSTOPPED(status)) {  // it ended by itself: a contract was broken
            ADD_FAILURE() << "the child ended at instruction " << result.taken << ", status " << status;
            return result;
        }
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return result;
}

// For n spread over `work`: build(), a child prepares and dies after n instructions of work(), recovery, look(n).
// Skips the test where ptrace is not permitted.
template <class Build, class Prepare, class Work, class Look>
void die_everywhere(const char* name, Build&& build, Prepare&& prepare, Work&& work, Look&& look, long usual = 12) {
    if (most_kills(usual) == 0) GTEST_SKIP() << "KAHU_MOST_KILLS=0";
    const auto once = [&](long steps) {
        build();
        const Stepped done = work_and_die(steps, prepare, work);
        if (!done.allowed) return done;
        const RecoveryReport report = recover_slot(kVictimSlot);
        EXPECT_TRUE(report.heap_sane) << name << ", step " << steps;
        look(done.taken);
        return done;
    };
    const Stepped whole = once(50'000'000);
    if (!whole.allowed) GTEST_SKIP() << "ptrace is not permitted here";
    ASSERT_TRUE(whole.over) << name;
    const long stride = std::max(1L, whole.taken / most_kills(usual));
    for (long step = 0; step < whole.taken && !testing::Test::HasFailure(); step += stride) {
        once(step);
        ASSERT_FALSE(testing::Test::HasFailure()) << name << ", killed after instruction " << step;
    }
    printf("[ steps    ] %-28s %ld instructions, killed after every %ld.\n", name, whole.taken, stride);
}

}  // namespace kahu::mem::test
