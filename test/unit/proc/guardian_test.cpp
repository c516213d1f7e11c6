#include "core/proc/guardian.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "core/proc/supervisor.h"

namespace kahu::proc {
namespace {

struct Seen {
    std::atomic<int> starts, readies;
};
Seen* g_seen = nullptr;

int serve_ready() {
    ++g_seen->starts;
    tell_guardian(Message::ready);
    return 0;
}

class GuardianTest : public testing::Test {
  protected:
    void SetUp() override {
        void* at = ::mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(at, MAP_FAILED);
        g_seen = new (at) Seen{};
    }
    // The exit status of a guardian with that work; `stop_after` start(s) it gets SIGTERM.
    static int guard(int (*serve)(), int stop_after = 0) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            block_supervisor_signals();
            ::_exit(run_guardian({.serve = serve, .ready = [] { ++g_seen->readies; }}));
        }
        while (stop_after > 0 && g_seen->starts < stop_after) ::usleep(1000);
        if (stop_after > 0) ::kill(pid, SIGTERM);
        int status = -1;
        ::waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
};

TEST_F(GuardianTest, EndsWithItsSupervisor) {
    EXPECT_EQ(guard(serve_ready), 0);
    EXPECT_EQ(g_seen->starts, 1);
}
TEST_F(GuardianTest, AStartThatFailsIsNotTriedAgain) {
    EXPECT_EQ(guard([] {
                  ++g_seen->starts;
                  return 3;
              }),
              3);
    EXPECT_EQ(g_seen->starts, 1);
    EXPECT_EQ(g_seen->readies, 0);
}
TEST_F(GuardianTest, GivesAFreshStartWhenAsked) {
    EXPECT_EQ(guard([] {
                  const int start = ++g_seen->starts;
                  EXPECT_EQ(fresh_starts(), start - 1);
                  tell_guardian(Message::ready);
                  ::usleep(20'000);
                  return start == 1 ? kFreshSegment : 0;
              }),
              0);
    EXPECT_EQ(g_seen->starts, 2);
    EXPECT_EQ(g_seen->readies, 1) << "the caller waits for the first only";
}
TEST_F(GuardianTest, OutlivesASupervisorThatIsKilled) {
    EXPECT_EQ(guard([] {
                  tell_guardian(Message::ready);
                  ::usleep(20'000);
                  if (++g_seen->starts == 1) ::kill(::getpid(), SIGKILL);
                  return 0;
              }),
              0);
    EXPECT_EQ(g_seen->starts, 2);
}
TEST_F(GuardianTest, LeavesNoOrphanOfADeadSupervisorBehind) {
    EXPECT_EQ(guard([] {
                  tell_guardian(Message::ready);
                  const int start = ++g_seen->starts;
                  ::usleep(20'000);
                  if (start == 2) return ::kill(g_seen->readies >> 8, 0) == 0 ? 9 : 0;  // is it still there?
                  const pid_t child = ::fork();
                  if (child == 0)
                      for (;;) ::pause();
                  note_child(1, child);
                  g_seen->readies |= child << 8;
                  ::kill(::getpid(), SIGKILL);
                  return 1;
              }),
              0);
}
TEST_F(GuardianTest, PassesAStopOn) {
    EXPECT_EQ(guard(
                  [] {
                      sigset_t set;
                      sigemptyset(&set);
                      sigaddset(&set, SIGTERM);
                      ++g_seen->starts;
                      int number = 0;
                      ::sigwait(&set, &number);
                      return number == SIGTERM ? 0 : 7;
                  },
                  1),
              0);
}

}  // namespace
}  // namespace kahu::proc
