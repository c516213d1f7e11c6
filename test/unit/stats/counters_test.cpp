#include "core/stats/counters.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kahu::stats {
namespace {

class Counters : public testing::Test {
  protected:
    void SetUp() override {
        const mem::Part parts[] = {{"counters", layout_bytes(), construct}};
        std::string why;
        mem::attach_slot(0);
        ASSERT_TRUE(mem::create_segment(8 << 20, parts, why)) << why;
    }
    void TearDown() override {
        mem::destroy_segment();
        g_rows = nullptr;
        mem::attach_slot(-1);
    }
};

TEST_F(Counters, AreSummedOverProcessesAndSurviveThem) {
    for (int slot = 1; slot <= 3; ++slot)
        if (::fork() == 0) {
            mem::attach_slot(slot);
            for (int i = 0; i < 1000; ++i) add(7);
            ::raise(SIGKILL);
        }
    while (::wait(nullptr) > 0) {
    }
    EXPECT_EQ(sum(7), 3000);
    EXPECT_EQ(of_slot(7, 2), 1000);
    EXPECT_EQ(sum(8), 0);
}

TEST_F(Counters, ResetStartsFromZeroWithoutWritingOthersCells) {
    add(3, 10);
    reset(3);
    EXPECT_EQ(sum(3), 0);
    EXPECT_EQ(of_slot(3, 0), 10);
    add(3, 5);
    EXPECT_EQ(sum(3), 5);
    reset(3);
    EXPECT_EQ(sum(3), 0);
}

}  // namespace
}  // namespace kahu::stats
