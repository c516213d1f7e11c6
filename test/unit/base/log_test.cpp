#include "core/base/log.h"

#include <gtest/gtest.h>

#include "core/base/hash.h"

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

TEST(Log, ASharedCellDecidesTheLevel) {
    static int64_t cell = 3;
    share_level(&cell);
    EXPECT_TRUE(enabled(Level::debug));
    cell = -1;
    EXPECT_FALSE(enabled(Level::warn));
    EXPECT_TRUE(enabled(Level::critical));
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
