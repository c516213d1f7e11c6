#include "core/proc/crash_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace kahu::proc {
namespace {

class CrashFiles : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/kahu-crash-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        directory_ = name;
        prepare_crash_files(directory_);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    // A process that dies in `work`; what it left.
    template <class F>
    std::string crash(F work, size_t keep = 100) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const rlimit none{0, 0};
            ::setrlimit(RLIMIT_CORE, &none);
            install_crash_handlers(kSlot, "test process");
            work();
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(pid, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status));
        const CrashFile found = collect_crash_files(kSlot, pid, keep);
        problem_ = found.problem;
        std::ifstream file(directory_ + "/" + found.name);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }
    size_t files() const {
        return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
    }
    static constexpr int kSlot = 3;
    std::string directory_, problem_;
};

const SocketAddress& peer() {
    static const SocketAddress address = *SocketAddress::parse_ip("192.0.2.7", 5061);
    return address;
}

TEST_F(CrashFiles, HoldsTheMessageItsPeerAndWhere) {
    const std::string text = crash([] {
        const MessageInHand message("OPTIONS sip:poison SIP/2.0\r\n\r\n", Transport::tls, peer());
        ::abort();
    });
    for (const char* part :
         {"process: test process\n", "signal: 6 SIGABRT\n", "transport: tls\n", "peer: 192.0.2.7 port 5061\n",
          "message_bytes: 30\n", "backtrace:\n", "message:\nOPTIONS sip:poison SIP/2.0\r\n\r\n"})
        EXPECT_NE(text.find(part), text.npos) << part << "\nin\n" << text;
}
TEST_F(CrashFiles, WithoutAMessageSaysWhere) {
    const std::string text = crash([] { ::raise(SIGFPE); });
    EXPECT_NE(text.find("signal: 8 SIGFPE\n"), text.npos);
    EXPECT_EQ(text.find("message"), text.npos);
}
TEST_F(CrashFiles, AMessageThatIsDoneIsNotInIt) {
    const std::string text = crash([] {
        { const MessageInHand done("first", Transport::udp, peer()); }
        ::abort();
    });
    EXPECT_EQ(text.find("first"), text.npos);
}
TEST_F(CrashFiles, MasksKeysOfSdes) {
    const std::string text = crash([] {
        const MessageInHand message("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^31\r\na=x inline:c2VjcmV0",
                                    Transport::udp, peer());
        ::abort();
    });
    EXPECT_EQ(text.find("c2VjcmV0"), text.npos) << text;
    EXPECT_NE(text.find("inline:*|2^31\r\na=x inline:*"), text.npos) << text;
}
TEST_F(CrashFiles, IsBounded) {
    const std::string huge(1 << 20, 'x');
    const std::string text = crash([&] {
        const MessageInHand message(huge, Transport::tcp, peer());
        ::abort();
    });
    EXPECT_NE(text.find("message_bytes: 1048576\n"), text.npos);
    EXPECT_LT(text.size(), 80u * 1024);
    EXPECT_GT(text.size(), 64u * 1024);
}
TEST_F(CrashFiles, OnlyTheNewestAreKept) {
    for (int i = 0; i < 6; ++i) EXPECT_FALSE(crash([] { ::abort(); }, 3).empty());
    EXPECT_EQ(files(), 3u);
}
TEST_F(CrashFiles, ADirectoryThatIsGoneCostsTheFileOnly) {
    prepare_crash_files(directory_ + "/none");
    EXPECT_EQ(crash([] { ::abort(); }), "");
    EXPECT_FALSE(problem_.empty());
}
TEST_F(CrashFiles, WhatTheWireBroughtIsInHexadecimal) {
    const std::string text = crash([] {
        const MessageInHand turn({}, Transport::tls, peer());
        const MessageInHand hello({"\x16\x03\x01\x00\xff", 5}, Transport::tls, peer(), MessageInHand::Form::wire);
        ::abort();
    });
    EXPECT_NE(text.find("wire_bytes: 5\n"), text.npos) << text;
    EXPECT_NE(text.find("wire:\n16030100ff\n"), text.npos) << text;
    EXPECT_EQ(problem_, "");
}
TEST_F(CrashFiles, WithoutBytesHasThePeer) {
    const std::string text = crash([] {
        const MessageInHand turn({}, Transport::tls, peer());
        ::abort();
    });
    EXPECT_NE(text.find("transport: tls\npeer: 192.0.2.7 port 5061\nbacktrace:\n"), text.npos) << text;
}
TEST_F(CrashFiles, AFullDiskIsTheProblem) {
    const std::string text = crash([] {
        const rlimit little{100, 100};  // bytes of any file
        ::setrlimit(RLIMIT_FSIZE, &little);
        ::signal(SIGXFSZ, SIG_IGN);
        ::abort();
    });
    EXPECT_EQ(text.size(), 100u);
    EXPECT_EQ(problem_, "File too large");
}
TEST_F(CrashFiles, ADeathWithoutAHandlerIsTheProblem) {
    crash([] { ::raise(SIGKILL); });
    EXPECT_EQ(problem_, "the process ended before its handler began");
}
TEST_F(CrashFiles, AStackThatIsFullIsNoObstacle) {
    struct Recurse {
        static int deeper(volatile char* above) {
            volatile char frame[4096];
            frame[0] = above[0];
            return above == nullptr ? 0 : deeper(frame) + frame[0];
        }
    };
    const std::string text = crash([] {
        volatile char first[1] = {};
        Recurse::deeper(first);
    });
    EXPECT_NE(text.find("SIGSEGV"), text.npos);
}

}  // namespace
}  // namespace kahu::proc
