// Floods: who is found when, in memory that never grows.
#include "core/modules/pike/counts.h"
#include "core/modules/pike/module.h"
#include "mem/failure.h"
#include "mem/recover.h"
#include "test/unit/mem/segment_fixture.h"
#include "test/unit/script/harness.h"

namespace kahu::pike::test {
namespace {

constexpr Limits kLimits{2, 5};
SocketAddress ip(const std::string& text) { return *SocketAddress::parse_ip(text); }

class Pike : public testing::Test {
  protected:
    void SetUp() override { mem::test::create(32, kModule.hooks.parts()); }
    void TearDown() override {
        mem::destroy_segment();
        mem::attach_slot(-1);
    }
    static std::string judged(const SocketAddress& from, int64_t now, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) {
            const Judgement j = count(from, kLimits, now);
            out += j == Judgement::good ? 'g' : j == Judgement::hot ? 'h' : 'N';
        }
        return out;
    }
};

TEST_F(Pike, FindsWhoReachesTheDensity) {
    EXPECT_EQ(judged(ip("10.0.0.1"), 100, 7), "ggggNhh");
    EXPECT_EQ(judged(ip("10.0.0.2"), 100, 4), "gggg");
    EXPECT_EQ(judged(ip("2001:db8::1"), 100, 5), "ggggN");
    EXPECT_EQ(judged(ip("::ffff:10.0.0.1"), 100, 1), "h");  // the same machine
}
TEST_F(Pike, StaysBlockedWhileItGoesOnAndIsFreedAfterwards) {
    EXPECT_EQ(judged(ip("10.0.0.1"), 100, 5), "ggggN");
    EXPECT_EQ(judged(ip("10.0.0.1"), 102, 3), "hhh");  // the last unit was hot
    EXPECT_EQ(judged(ip("10.0.0.1"), 104, 3), "ggg");
    EXPECT_EQ(judged(ip("10.0.0.1"), 112, 5), "ggggN");
}
TEST_F(Pike, NeverGrows) {
    for (uint32_t i = 0; i < 300'000; ++i) {
        sockaddr_in raw{};
        raw.sin_family = AF_INET;
        raw.sin_addr.s_addr = htonl(0x0b000000 + i);
        (void)count(SocketAddress::from(reinterpret_cast<const sockaddr*>(&raw)), kLimits, 100 + i / 50'000);
    }
    size_t rows = 0;
    list(kLimits, 106, 0, [&](const Listed&) { ++rows; });
    EXPECT_LE(rows, kRows);
    EXPECT_GT(rows, kRows / 2);
    EXPECT_EQ(judged(ip("10.9.9.9"), 107, 5), "ggggN");  // still found
}
TEST_F(Pike, SurvivesDeathsOfItsUsers) {
    for (long nth = 0; nth < 40; ++nth) {
        const auto end = mem::test::run_child(1, [&] {
            mem::kill_at(mem::Point::lock, nth);
            for (int i = 0; i < 10; ++i) (void)count(ip("10.0.0.1"), kLimits, 100);
        });
        if (end == mem::test::End::clean) break;
        (void)mem::recover_slot(1);
        (void)count(ip("10.0.0.1"), kLimits, 200 + nth * 10);  // does not hang
    }
}
TEST_F(Pike, AnswersTheScriptAndRpc) {
    script::test::Script script("request_route { if (pike_check_req()) log(\"good\"); else log(\"$rc\"); }",
                                {&kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    for (int i = 0; i < 29; ++i) EXPECT_EQ(script.send(script::test::request()).line(), "good") << i;
    EXPECT_EQ(script.send(script::test::request()).line(), "-2");
    EXPECT_EQ(script.send(script::test::request()).line(), "-1");
    RpcCall call("pike.top", {});
    kModule.commands[0].call(call);
    ASSERT_EQ(call.results().size(), 1u);
    const auto& fields = std::get<RpcStruct>(call.results()[0].data());
    EXPECT_EQ(fields[0].first, "max_hits");
    const auto& rows = std::get<RpcArray>(fields[1].second.data());
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(std::get<std::string>(std::get<RpcStruct>(rows[0].data())[0].second.data()), "10.1.2.3");
    RpcCall wrong("pike.top", {"COLD"});
    kModule.commands[0].call(wrong);
    EXPECT_TRUE(wrong.faulted());
}
TEST(PikeModule, RowsAreWellFormed) { EXPECT_TRUE(well_formed(kModule)); }

}  // namespace
}  // namespace kahu::pike::test
