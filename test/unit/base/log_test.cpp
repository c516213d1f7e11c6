#include "core/base/log.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/base/log_sink.h"

namespace kahu::log {
namespace {

TEST(Log, FieldsAreKeyValueAndQuotedWhereNeeded) {
    testing::internal::CaptureStderr();
    set_level(Level::info);
    LOG(info, "tls.handshake.failed", kv("peer", "10.0.0.1:4711"), kv("reason", "no shared \"cipher\"\n"), kv("n", 3));
    const std::string line = testing::internal::GetCapturedStderr();
    EXPECT_NE(line.find("INFO: tls.handshake.failed peer=10.0.0.1:4711 reason=\"no shared \\\"cipher\\\"\\x0a\" n=3\n"),
              line.npos)
        << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(Log, FieldsOfASilentLevelAreNotEvaluated) {
    set_level(Level::error);
    int evaluated = 0;
    const auto count = [&] { return ++evaluated; };
    LOG(debug, "silent", kv("n", count()));
    EXPECT_EQ(evaluated, 0);
}

TEST(Log, ALongLineToAProgramThatStoppedReadingIsDropped) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const UniqueFd reader(pipe[0]), writer(pipe[1]), kept(::dup(STDERR_FILENO));
    ASSERT_GE(::dup2(writer.get(), STDERR_FILENO), 0);
    ::alarm(20);  // a write that waits ends the test
    const bool whole = StandardError().write(std::string(1 << 20, 'x'));
    ::alarm(0);
    ::dup2(kept.get(), STDERR_FILENO);
    EXPECT_FALSE(whole);
    std::array<char, 8192> bytes{};
    EXPECT_EQ(::read(reader.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

TEST(Log, ASharedCellDecidesTheLevel) {
    static int64_t cell = 3;
    share_level(&cell);
    EXPECT_TRUE(enabled(Level::debug));
    cell = -1;
    EXPECT_FALSE(enabled(Level::warn));
    EXPECT_TRUE(enabled(Level::critical));
}

constexpr int kMany = 3000;
constexpr clock::Millis kSoon = 2000;  // one wait of 200 ms, and a busy machine

void write_many() {
    for (int i = 0; i < kMany; ++i) LOG(critical, "line", kv("n", i), kv("padding", std::string(200, 'x')));
}

TEST(Log, WaitsOnceForAPipeThatNobodyReads) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const UniqueFd reader(ends[0]), before(::dup(STDERR_FILENO));
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    const uint64_t lost_before = lost();
    const clock::Millis begun = clock::read();
    write_many();
    const clock::Millis took = clock::read() - begun;
    const uint64_t dropped = lost() - lost_before;
    std::array<char, 1 << 20> bytes;
    (void)!::read(reader.get(), bytes.data(), bytes.size());
    LOG(critical, "again");
    const ssize_t got = ::read(reader.get(), bytes.data(), bytes.size());
    ::dup2(before.get(), STDERR_FILENO);
    EXPECT_LT(took, kSoon);
    EXPECT_GT(dropped, 0u);
    const std::string after(bytes.data(), got > 0 ? static_cast<size_t>(got) : 0);
    EXPECT_NE(after.find(" again\n"), after.npos) << after;
    EXPECT_NE(after.find("log.lines_lost lines=" + std::to_string(dropped)), after.npos) << after;
}

class SyslogDaemon {
  public:
    explicit SyslogDaemon(std::string path) : path_(std::move(path)), fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        ::unlink(path_.c_str());
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        path_.copy(at.sun_path, sizeof at.sun_path - 1);
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    }
    ~SyslogDaemon() { ::unlink(path_.c_str()); }
    std::string take() {
        char bytes[4096];
        const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        return {bytes, got > 0 ? static_cast<size_t>(got) : 0};
    }

  private:
    std::string path_;
    UniqueFd fd_;
};

TEST(Log, WaitsOnceForASyslogThatIsStuckAndFindsOneThatWasRestarted) {
    const std::string path = "/tmp/kahu-log-test-" + std::to_string(::getpid());
    std::optional<SyslogDaemon> daemon(path);
    Syslog syslog;
    syslog.open(path);
    const auto send = [&](std::string_view text) { return syslog.send(LOG_DAEMON | LOG_CRIT, "prog", text); };
    EXPECT_TRUE(send("first"));
    const std::string line = daemon->take();
    const std::string end = " prog[" + std::to_string(::getpid()) + "]: first";
    EXPECT_TRUE(line.starts_with("<26>")) << line;  // daemon.crit
    EXPECT_TRUE(line.ends_with(end)) << line;
    EXPECT_EQ(line.size(), std::string("<26>Nov 21 09:00:00").size() + end.size()) << line;

    const clock::Millis begun = clock::read();
    int dropped = 0;
    for (int i = 0; i < kMany; ++i) dropped += !send("line");
    EXPECT_LT(clock::read() - begun, kSoon);
    EXPECT_GT(dropped, 0);
    while (!daemon->take().empty()) continue;
    EXPECT_TRUE(send("second"));
    EXPECT_TRUE(daemon->take().ends_with("]: second"));

    daemon.reset();
    EXPECT_FALSE(send("into the void"));
    daemon.emplace(path);
    EXPECT_TRUE(send("third"));
    EXPECT_TRUE(daemon->take().ends_with("]: third"));
    syslog.open("/nonexistent");  // as after chroot and SIGHUP: what there was stays
    EXPECT_TRUE(send("fourth"));
}

TEST(RateLimit, SaysHowManyWereSuppressed) {
    RateLimit limit(2);
    EXPECT_TRUE(limit.allow());
    EXPECT_TRUE(limit.allow());
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(limit.allow());
}

TEST(Hash, DependsOnEveryByteAndOnTheLength) {
    const std::string base(40, 'a');
    for (size_t i = 0; i < base.size(); ++i) {
        std::string other = base;
        other[i] = 'b';
        EXPECT_NE(hash_text(base), hash_text(other)) << i;
        EXPECT_NE(hash_text(base), hash_text(base.substr(0, i))) << i;
    }
}

}  // namespace
}  // namespace kahu::log
