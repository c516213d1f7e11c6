#include "core/proc/deaths.h"

#include <gtest/gtest.h>

#include <csignal>

#include "core/proc/guardian.h"

namespace kahu::proc {
namespace {

constexpr int exited(int status) { return status << 8; }

TEST(Deaths, HaveACause) {
    struct Row {
        int wait_status;
        bool hung;
        Cause expected;
    };
    constexpr Row kRows[] = {{SIGKILL, false, Cause::killed},   {SIGTERM, false, Cause::killed},
                             {SIGSEGV, false, Cause::crashed},  {SIGABRT, false, Cause::crashed},
                             {SIGABRT, true, Cause::hung},      {SIGKILL, true, Cause::hung},
                             {SIGBUS, false, Cause::crashed},   {SIGALRM, false, Cause::crashed},
                             {exited(0), false, Cause::exited}, {exited(3), false, Cause::exited}};
    for (const Row& row : kRows) EXPECT_EQ(cause_of(row.wait_status, row.hung), row.expected) << row.wait_status;
}

TEST(Deaths, FiveCrashesInTenSecondsAreTooMany) {
    DeathRate rate;
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(rate.add(Cause::crashed, 1000 + i * 2000, 5));
    EXPECT_TRUE(rate.add(Cause::hung, 1000 + 4 * 2000, 5));
}
TEST(Deaths, FiveCrashesInALongerTimeAreNot) {
    DeathRate rate;
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(rate.add(Cause::crashed, 1000 + i * 3000, 5));
}
TEST(Deaths, TheLimitOfCrashesIsASetting) {
    DeathRate rate;
    for (int i = 0; i < 7; ++i) EXPECT_FALSE(rate.add(Cause::crashed, 1000, 8));
    EXPECT_TRUE(rate.add(Cause::crashed, 1000, 8));
    DeathRate any;
    for (size_t i = 0; i + 1 < DeathRate::kDeaths; ++i) EXPECT_FALSE(any.add(Cause::crashed, 1000, 0));
    EXPECT_TRUE(any.add(Cause::crashed, 1000, 0)) << "deaths of any cause are counted all the same";
}
TEST(Deaths, KillsFromOutsideWeighLess) {
    DeathRate rate;
    for (size_t i = 0; i + 1 < DeathRate::kDeaths; ++i) EXPECT_FALSE(rate.add(Cause::killed, 1000, 5));
    EXPECT_TRUE(rate.add(Cause::killed, 1000, 5));
}

TEST(Guardian, TriesAgainAtGrowingIntervalsAndGivesUp) {
    Backoff backoff;
    for (const clock::Millis expected : {0, 1000, 2000, 4000, 8000, 16000, 32000, 32000, -1})
        EXPECT_EQ(backoff.next(500), expected);
}
TEST(Guardian, ForgetsWhatIsLongPast) {
    Backoff backoff;
    for (int i = 0; i < 50; ++i) EXPECT_EQ(backoff.next(Backoff::kGoodLife), 0);
    EXPECT_EQ(backoff.next(1), 1000);
}

}  // namespace
}  // namespace kahu::proc
