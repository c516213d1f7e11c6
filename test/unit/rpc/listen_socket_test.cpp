// Whose socket it is: a dead server's is replaced, a live one's is an error.
#include "rpc/listen_socket.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace kahu::rpc {
namespace {

class Listening : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/kahu-rpc-listen-XXXXXX";
        folder = ::mkdtemp(name);
    }
    void TearDown() override { std::filesystem::remove_all(folder); }
    Address at(const std::string& prefix) const { return *parse_address(prefix + folder + "/x"); }
    std::string folder;
};

TEST_F(Listening, StaleFilesAreReplacedAndLiveOnesAreErrors) {
    for (const char* prefix : {"unixs:", "unixd:", "fifo:"}) {
        {
            auto first = open_listen_socket(at(prefix), {.mode = 0640}, false);
            ASSERT_TRUE(first) << first.error().text();
            struct stat file {};
            ASSERT_EQ(::lstat(at(prefix).name.c_str(), &file), 0);
            EXPECT_EQ(file.st_mode & 0777, 0640u);
            auto second = open_listen_socket(at(prefix), {}, false);
            ASSERT_FALSE(second) << prefix;
            EXPECT_EQ(second.error().hint, "Is another instance running?");
        }  // the server died: its file is still there
        EXPECT_TRUE(std::filesystem::exists(at(prefix).name));
        auto third = open_listen_socket(at(prefix), {}, false);
        ASSERT_TRUE(third) << third.error().text();
        remove_socket_file(*third);
        EXPECT_FALSE(std::filesystem::exists(at(prefix).name));
    }
}

TEST_F(Listening, OtherFilesStay) {
    std::ofstream(folder + "/x") << "precious";
    for (const char* prefix : {"unixs:", "unixd:", "fifo:"}) EXPECT_FALSE(open_listen_socket(at(prefix), {}, false));
    EXPECT_EQ(std::filesystem::file_size(folder + "/x"), 8u);
}

TEST_F(Listening, OnlyOurOwnFileIsRemoved) {
    auto ours = open_listen_socket(at("unixs:"), {}, false);
    ASSERT_TRUE(ours);
    std::filesystem::remove(folder + "/x");
    std::ofstream(folder + "/x") << "another";
    remove_socket_file(*ours);
    EXPECT_TRUE(std::filesystem::exists(folder + "/x"));
}

TEST_F(Listening, RemoteAddressesNeedToBeAskedFor) {
    for (const char* address : {"tcp:0.0.0.0:26220", "udp:*:26220", "tcp:192.0.2.1:26220"}) {
        const auto refused = open_listen_socket(*parse_address(address), {}, false);
        ASSERT_FALSE(refused) << address;
        EXPECT_NE(refused.error().what.find("other machines"), std::string::npos) << refused.error().text();
    }
    EXPECT_TRUE(open_listen_socket(*parse_address("tcp:127.0.0.1:26221"), {}, false));
    const auto held = open_listen_socket(*parse_address("udp:127.0.0.1:26222"), {}, false);
    ASSERT_TRUE(held);
    const auto twice = open_listen_socket(*parse_address("udp:127.0.0.1:26222"), {}, false);
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().hint, "Is another instance running?");
}

TEST_F(Listening, ErrorsNameTheAddress) {
    const auto missing = open_listen_socket(*parse_address("unixs:" + folder + "/no/such/x"), {}, false);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().what.find(folder + "/no/such/x"), std::string::npos);
    EXPECT_FALSE(missing.error().hint.empty());
}

}  // namespace
}  // namespace kahu::rpc
