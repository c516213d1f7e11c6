// Max-Breadth is divided whole, and requests that wait without a branch on the wire end all the same.
#include "core/modules/tm/breadth.h"

#include "core/modules/tm/settings.h"
#include "test/unit/tm/fixture.h"

namespace kahu::tm::test {
namespace {

TEST(Shares, AreAllOfItAndNoneIsEmpty) {
    for (int all = 1; all <= 70; ++all)
        for (size_t count = 1; count <= static_cast<size_t>(all); ++count) {
            const Shares shares{.concerns = true, .all = all, .count = count};
            int sum = 0;
            for (size_t i = 0; i < count; ++i) {
                EXPECT_GE(shares.of(i), 1);
                EXPECT_LE(shares.of(i), all / static_cast<int>(count) + 1);
                sum += shares.of(i);
            }
            EXPECT_EQ(sum, all);
        }
}

std::string answered() { return g_up.empty() ? "nothing" : g_up.back().first_line().substr(8, 3); }

TEST_F(TmTest, BreadthIsBoundedByTheParameter) {
    const auto given = [](std::string_view value) {
        sip::Message message;
        sip::Bad bad;
        const std::string text =
            invite("INVITE", "z9hG4bKa1", value.empty() ? "" : "Max-Breadth: " + std::string(value) + "\r\n");
        EXPECT_TRUE(message.parse(text, bad));
        return breadth_of(message);
    };
    EXPECT_EQ(given(""), 60);
    EXPECT_EQ(given("7"), 7);
    EXPECT_EQ(given("61"), 60);
    EXPECT_EQ(given("99999999999999999999"), 60);
    EXPECT_EQ(given("-1"), 60);
    settings.max_breadth.set(0);
    EXPECT_EQ(given("7"), 0);
    settings.max_breadth.set(settings.max_breadth.initial());
}

TEST_F(TmTest, TooManyTargetsAre440AndNothingIsSent) {
    script("fork_to(\"sip:127.0.0.1:28701\"); t_relay();");
    receive(invite("INVITE", "z9hG4bKa1", "Max-Breadth: 1\r\n"));
    EXPECT_TRUE(g_down.empty());
    EXPECT_EQ(answered(), "440");
}

TEST_F(TmTest, ASuspendedRequestEndsByItsTimer) {
    script("t_suspend();");
    receive(invite());
    EXPECT_TRUE(g_down.empty());
    wait(29'000);
    EXPECT_EQ(answered(), "100");
    wait(2'000);
    EXPECT_EQ(answered(), "408");
    for (int i = 0; i < 4; ++i) wait(100'000);
    EXPECT_EQ(transactions(), 0u);
}

TEST_F(TmTest, ASuspendedRequestIsCancelledAtOnce) {
    script("if (method == \"CANCEL\") { t_relay_cancel(); exit; } t_suspend();");
    receive(invite());
    receive(invite("CANCEL"));
    EXPECT_EQ(answered(), "487");
    EXPECT_TRUE(g_down.empty());
}

TEST_F(TmTest, ABranchThatFailsIsReplacedWhileAnotherRings) {
    script("fork_to(\"sip:127.0.0.1:28701\"); t_on_branch_failure(\"x\"); t_relay();",
           "event_route[tm:branch-failure:x] {\n"
           "if ($T_reply_code == 486) { fork_to(\"sip:127.0.0.1:28702\"); t_relay(); } }\n");
    receive(invite());
    ASSERT_EQ(g_down.size(), 2u);
    const std::string first = g_down[0].text, second = g_down[1].text;
    receive(reply_to(first, 180));
    forget();
    receive(reply_to(second, 486));
    ASSERT_EQ(g_down.size(), 2u) << "ACK, and the next";
    EXPECT_EQ(g_down[1].to, "udp:127.0.0.1:28702");
    EXPECT_TRUE(g_up.empty());
    const std::string third = g_down[1].text;
    receive(reply_to(third, 486));
    EXPECT_TRUE(g_up.empty()) << "the first rings, and the route was not armed again";
    receive(reply_to(first, 404));
    EXPECT_NE(answered(), "nothing");
}

TEST_F(TmTest, ACopyThatLooksItsTransactionUpIsStillACopy) {
    script("if (t_lookup_request()) t_release(); t_relay();");
    receive(invite());
    ASSERT_EQ(g_down.size(), 1u);
    receive(invite());
    EXPECT_EQ(g_down.size(), 1u);
    receive(reply_to(g_down[0].text, 404));
    EXPECT_EQ(answered(), "404");
}

TEST_F(TmTest, AFailureRouteAsksNewTargetsOnly) {
    script("t_on_failure(\"f\"); t_relay();", "failure_route[f] { fork_to(\"sip:127.0.0.1:28701\"); t_relay(); }\n");
    receive(invite("MESSAGE"));
    const std::string first = g_down.back().text;
    forget();
    receive(reply_to(first, 404));
    ASSERT_EQ(g_down.size(), 1u);
    EXPECT_EQ(g_down[0].to, "udp:127.0.0.1:28701");
}

}  // namespace
}  // namespace kahu::tm::test
