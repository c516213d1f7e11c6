#include "core/proc/daemon.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace kahu::proc {
namespace {

class PidFile : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/kahu-pid-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        directory_ = name;
        path_ = directory_ + "/kahu.pid";
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::string directory_, path_;
};

TEST_F(PidFile, IsWrittenAndRemoved) {
    ASSERT_TRUE(write_pid_file(path_));
    std::string content;
    std::ifstream(path_) >> content;
    EXPECT_EQ(content, std::to_string(::getpid()));
    remove_pid_file();
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PidFile, OfARunningProcessIsRefusedAndOfADeadOneReplaced) {
    std::ofstream(path_) << ::getppid() << "\n";
    const Status refused = write_pid_file(path_);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("is another instance running?"), std::string::npos) << refused.error().text();
    const pid_t dead = ::fork();
    if (dead == 0) ::_exit(0);
    ::waitpid(dead, nullptr, 0);
    std::ofstream(path_) << dead << "\n";
    EXPECT_TRUE(write_pid_file(path_));
}

TEST_F(PidFile, IsNeverWrittenThroughALink) {
    const std::string victim = directory_ + "/victim";
    std::ofstream(victim) << "precious";
    std::filesystem::create_symlink(victim, path_);
    ASSERT_TRUE(write_pid_file(path_));
    std::string content;
    std::ifstream(victim) >> content;
    EXPECT_EQ(content, "precious");
}

TEST_F(PidFile, ADirectoryThatIsNotThereIsNamed) {
    const Status refused = write_pid_file(directory_ + "/no/such/kahu.pid");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find(directory_ + "/no/such/kahu.pid"), std::string::npos);
}

TEST(Identity, NamesThatDoNotExistAreErrorsWithARemedy) {
    EXPECT_TRUE(check_identity({"", "", "", ""}));
    EXPECT_TRUE(check_identity({"root", "root", "/", "/tmp"}));
    EXPECT_EQ(check_identity({"no-such-user-here", "", "", ""}).error().text(),
              "no such user: no-such-user-here (create it, or give another one with -u)");
    EXPECT_FALSE(check_identity({"", "no-such-group-here", "", ""}));
    EXPECT_FALSE(check_identity({"", "", "/no/such/directory", ""}));
}

TEST(Background, TheCallerGetsTheOutcomeOfTheStart) {
    for (const int outcome : {0, 3}) {
        const pid_t caller = ::fork();
        if (caller == 0) {
            if (!go_to_background()) ::_exit(9);
            if (outcome == 0) report_ready(false);
            ::_exit(outcome);
        }
        int status = -1;
        ::waitpid(caller, &status, 0);
        EXPECT_EQ(WEXITSTATUS(status), outcome);
    }
}

}  // namespace
}  // namespace kahu::proc
