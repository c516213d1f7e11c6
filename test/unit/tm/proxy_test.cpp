// test/unit/tm/proxy_test.cpp -- one request through the script, its replies, its timers: what both sides see.
#include "core/script/outgoing.h"
#include "core/sip/builder.h"
#include "test/unit/tm/fixture.h"

namespace kahu::tm {
namespace {
using namespace test;

std::vector<std::string> lines(const std::vector<Outgoing>& sent) {
    std::vector<std::string> out;
    for (const Outgoing& one : sent) out.push_back(one.first_line());
    return out;
}
using Lines = std::vector<std::string>;
constexpr const char* kInviteLine = "INVITE sip:bob@127.0.0.1:28700 SIP/2.0";
constexpr const char* kTrying = "SIP/2.0 100 trying -- your call is important to us";

TEST_F(TmTest, ACallRingsAndIsAnswered) {
    script("t_relay();");
    receive(invite());
    ASSERT_EQ(lines(g_down), Lines{kInviteLine});
    EXPECT_EQ(g_down[0].to, "udp:127.0.0.1:28700");
    EXPECT_EQ(lines(g_up), Lines{kTrying});
    const std::string sent = g_down[0].text;
    forget();
    receive(reply_to(sent, 100));
    EXPECT_TRUE(g_up.empty());  // hop by hop
    receive(reply_to(sent, 180));
    receive(reply_to(sent, 200));
    EXPECT_EQ(lines(g_up), (Lines{"SIP/2.0 180 Ringing", "SIP/2.0 200 OK"}));
    EXPECT_EQ(g_up[1].text.find("28500"), std::string::npos) << g_up[1].text;  // our Via is gone
    EXPECT_TRUE(g_down.empty());                                               // the ACK is the caller's
    wait(40'000);
    EXPECT_EQ(transactions(), 0u);
}

TEST_F(TmTest, Tx02RetransmittedInviteIsAbsorbedAndAnsweredWithTheLastReply) {
    script("t_relay();");
    receive(invite());
    const std::string sent = g_down[0].text;
    receive(reply_to(sent, 180));
    forget();
    receive(invite());
    EXPECT_TRUE(g_down.empty());
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 180 Ringing"});
    receive(reply_to(sent, 200));
    forget();
    receive(invite());  // Accepted: RFC 6026 7.1
    EXPECT_TRUE(g_down.empty());
    EXPECT_TRUE(g_up.empty());
    receive(reply_to(sent, 200));  // TX-03
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 200 OK"});
}

TEST_F(TmTest, Tx06InviteIsRepeatedOverUdpUntilTimerB) {
    script("t_relay();");
    receive(invite());
    forget();
    wait(600);
    EXPECT_EQ(g_down.size(), 1u);
    wait(1100);
    EXPECT_EQ(g_down.size(), 2u);
    wait(2100);
    EXPECT_EQ(g_down.size(), 3u);
    EXPECT_TRUE(g_up.empty());
    wait(30'000);
    ASSERT_FALSE(g_up.empty());
    EXPECT_EQ(g_up[0].first_line(), "SIP/2.0 408 Request Timeout");
}

TEST_F(TmTest, Tx11AckToAFailureIsMadeHereAndEndsHere) {
    script("if (t_check_trans()) t_relay(); else t_relay();");
    receive(invite());
    const std::string sent = g_down[0].text;
    forget();
    receive(reply_to(sent, 486, "t1"));
    ASSERT_EQ(lines(g_down), Lines{"ACK sip:bob@127.0.0.1:28700 SIP/2.0"});
    EXPECT_NE(g_down[0].text.find("To: <sip:bob@b.example>;tag=t1"), std::string::npos);
    EXPECT_NE(g_down[0].text.find("CSeq: 1 ACK"), std::string::npos);
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 486 Busy Here"});
    wait(600);
    EXPECT_EQ(g_up.size(), 2u);  // timer G
    receive(invite("ACK"));
    forget();
    wait(5000);
    EXPECT_TRUE(g_up.empty());
    EXPECT_TRUE(g_down.empty());  // PX: not forwarded
    receive(reply_to(sent, 486, "t1"));
    EXPECT_EQ(lines(g_down), Lines{"ACK sip:bob@127.0.0.1:28700 SIP/2.0"});
    EXPECT_TRUE(g_up.empty());
}

TEST_F(TmTest, Tx09And10CancelWaitsForTheFirstProvisional) {
    script("t_relay();");
    receive(invite());
    const std::string sent = g_down[0].text;
    forget();
    receive(invite("CANCEL"));
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 200 canceling"});
    EXPECT_TRUE(g_down.empty());
    receive(reply_to(sent, 180));
    ASSERT_EQ(lines(g_down), Lines{"CANCEL sip:bob@127.0.0.1:28700 SIP/2.0"});
    const std::string cancel = g_down[0].text;
    forget();
    wait(600);
    EXPECT_EQ(lines(g_down), Lines{"CANCEL sip:bob@127.0.0.1:28700 SIP/2.0"});
    receive(reply_to(cancel, 200));
    forget();
    receive(reply_to(sent, 487));
    EXPECT_EQ(lines(g_down), Lines{"ACK sip:bob@127.0.0.1:28700 SIP/2.0"});
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 487 Request Terminated"});
}

TEST_F(TmTest, Tx08TimerCCancelsAndAnswers408) {
    script("t_set_fr(1000, 500); t_relay();");
    receive(invite());
    const std::string sent = g_down[0].text;
    receive(reply_to(sent, 180));
    forget();
    wait(1100);
    EXPECT_EQ(lines(g_down), Lines{"CANCEL sip:bob@127.0.0.1:28700 SIP/2.0"});
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 408 Request Timeout"});
    forget();
    receive(reply_to(sent, 487));
    EXPECT_EQ(lines(g_down), Lines{"ACK sip:bob@127.0.0.1:28700 SIP/2.0"});
    EXPECT_TRUE(g_up.empty());
}

// What a script may ask for one request, before the transaction is there and after.
TEST_F(TmTest, TheScriptSaysWhetherTryingIsSaid) {
    script("t_set_auto_inv_100(0); t_relay();");
    receive(invite());
    EXPECT_TRUE(g_up.empty());
}

TEST_F(TmTest, TheScriptSaysThatASixHundredEndsNothing) {
    script("fork_to(\"sip:carol@127.0.0.1:28701\"); t_newtran(); t_set_disable_6xx(1); t_relay();");
    receive(invite());
    ASSERT_EQ(g_down.size(), 2u);
    const std::string bob = g_down[0].text, carol = g_down[1].text;
    receive(reply_to(carol, 180));
    forget();
    receive(reply_to(bob, 603));
    EXPECT_EQ(lines(g_down), Lines{"ACK sip:bob@127.0.0.1:28700 SIP/2.0"}) << "carol still rings";
    EXPECT_TRUE(g_up.empty());
    receive(reply_to(carol, 200));
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 200 OK"});
}

TEST_F(TmTest, TheScriptBoundsTheLifetime) {
    script("t_set_max_lifetime(2000, 0); t_relay();");
    receive(invite());
    receive(reply_to(g_down[0].text, 180));
    forget();
    wait(1900);
    EXPECT_TRUE(g_up.empty());
    wait(300);
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 408 Request Timeout"});
}

TEST_F(TmTest, TheScriptTakesItsTimersBack) {
    script("t_set_fr(1000, 500); t_reset_fr(); t_relay();");
    receive(invite());
    forget();
    wait(5000);
    EXPECT_TRUE(g_up.empty());
}

TEST_F(TmTest, Tx12NoFourOhEightToANonInvite) {
    script("t_relay();");
    receive(invite("OPTIONS"));
    forget();
    wait(31'000);
    EXPECT_TRUE(g_up.empty());
    wait(10'000);
    EXPECT_EQ(transactions(), 0u);
}

TEST_F(TmTest, Tx05NonInviteIsAnsweredFromTheTransaction) {
    script("t_relay();");
    receive(invite("OPTIONS"));
    receive(reply_to(g_down[0].text, 200));
    forget();
    receive(invite("OPTIONS"));
    EXPECT_TRUE(g_down.empty());
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 200 OK"});
}

TEST_F(TmTest, Tx14SameBranchOfAnotherSenderIsAnotherTransaction) {
    script("t_relay();");
    receive(invite("OPTIONS"));
    std::string other = invite("OPTIONS");
    other.replace(other.find("127.0.0.1:28600"), 15, "127.0.0.2:28600");
    receive(other);
    EXPECT_EQ(g_down.size(), 2u);
}

TEST_F(TmTest, Tx04StrayRepliesWithABranchOfOursEndHere) {
    script("t_relay();");
    receive(invite());
    std::string forged = reply_to(g_down[0].text, 200);
    const size_t at = forged.find("z9hG4bK");
    forged[at + 30] = forged[at + 30] == '0' ? '1' : '0';
    forget();
    receive(forged);
    EXPECT_TRUE(g_up.empty());
}

TEST_F(TmTest, Px18ParallelForkingCancelsTheLosers) {
    script("fork_to(\"sip:bob@127.0.0.1:28701\"); t_relay();");
    receive(invite());
    ASSERT_EQ(g_down.size(), 2u);
    EXPECT_EQ(g_down[1].first_line(), "INVITE sip:bob@127.0.0.1:28701 SIP/2.0");
    const std::string first = g_down[0].text, second = g_down[1].text;
    receive(reply_to(first, 180));
    receive(reply_to(second, 180, "t2"));
    forget();
    receive(reply_to(second, 200, "t2"));
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 200 OK"});
    ASSERT_EQ(lines(g_down), Lines{"CANCEL sip:bob@127.0.0.1:28700 SIP/2.0"});
    EXPECT_NE(g_down[0].text.find("Call completed elsewhere"), std::string::npos);
    forget();
    receive(reply_to(first, 200));  // crossed the CANCEL: PX-15
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 200 OK"});
}

TEST_F(TmTest, Px16TheBestFailureGoesUpstreamWithAllChallenges) {
    script("fork_to(\"sip:bob@127.0.0.1:28701\"); t_relay();");
    receive(invite());
    const std::string first = g_down[0].text, second = g_down[1].text;
    forget();
    receive(reply_to(first, 407, "t1", "Proxy-Authenticate: Digest realm=\"one\"\r\n"));
    EXPECT_TRUE(g_up.empty());
    receive(reply_to(second, 401, "t2", "WWW-Authenticate: Digest realm=\"two\"\r\n"));
    ASSERT_EQ(g_up.size(), 1u);
    EXPECT_NE(g_up[0].text.find("realm=\"one\""), std::string::npos);
    EXPECT_NE(g_up[0].text.find("realm=\"two\""), std::string::npos);
}

TEST_F(TmTest, FailureRouteTriesAnotherTarget) {
    script("t_on_failure(\"NEXT\"); $avp(x) = \"kept\"; t_relay();",
           "failure_route[NEXT] {\n  if (t_check_status(\"486\")) {\n    log(\"$avp(x) $T_reply_code\");\n"
           "    $ru = \"sip:voicemail@127.0.0.1:28702\";\n    t_relay();\n  }\n}\n");
    receive(invite());
    const std::string sent = g_down[0].text;
    forget();
    receive(reply_to(sent, 486));
    EXPECT_EQ(log_.line(), "kept 486");
    EXPECT_EQ(lines(g_down),
              (Lines{"ACK sip:bob@127.0.0.1:28700 SIP/2.0", "INVITE sip:voicemail@127.0.0.1:28702 SIP/2.0"}));
    EXPECT_TRUE(g_up.empty());
    const std::string second = g_down[1].text;
    receive(reply_to(second, 200));
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 200 OK"});
}

TEST_F(TmTest, FailureRouteRunsOnTimeoutInTheTimerProcess) {
    script("t_on_failure(\"LATE\"); t_relay();",
           "failure_route[LATE] {\n  if (t_branch_timeout()) t_reply(\"480\", \"Nobody there\");\n}\n");
    receive(invite());
    forget();
    wait(31'000);
    ASSERT_FALSE(g_up.empty());
    EXPECT_EQ(g_up[0].first_line(), "SIP/2.0 480 Nobody there");
}

TEST_F(TmTest, BranchAndReplyRoutesSeeTheirBranch) {
    script("t_on_branch(\"B\"); t_on_reply(\"R\"); fork_to(\"sip:bob@127.0.0.1:28701\"); t_relay();",
           "branch_route[B] { log(\"branch $T_branch_idx $ru\"); }\nonreply_route[R] { log(\"reply $T_branch_idx "
           "$rs\"); }\n");
    receive(invite());
    EXPECT_EQ(log_.lines, (Lines{"branch 0 sip:bob@127.0.0.1:28700", "branch 1 sip:bob@127.0.0.1:28701"}));
    receive(reply_to(g_down[1].text, 180));
    EXPECT_EQ(log_.lines, Lines{"reply 1 180"});
}

TEST_F(TmTest, Px19ALoopIsAnswered482) {
    script("if (!t_relay()) sl_reply_error();");
    receive(invite());
    std::string back = g_down[0].text;  // unchanged but for our own Via
    forget();
    receive(back);
    EXPECT_EQ(log_.first_line(), "SIP/2.0 482 Loop Detected");
    EXPECT_TRUE(g_down.empty());
}

TEST_F(TmTest, ServiceUnavailableGoesUpAs500) {
    script("t_relay();");
    receive(invite());
    const std::string sent = g_down[0].text;
    forget();
    receive(reply_to(sent, 503));
    EXPECT_EQ(g_up[0].first_line(), "SIP/2.0 500 Service Unavailable");
}

TEST_F(TmTest, UnreachableNextHopLetsTheScriptAnswer) {
    script("if (!t_relay()) sl_reply_error();");
    g_verdict = net::Sent::failed;
    receive(invite());
    EXPECT_EQ(log_.first_line().substr(0, 11), "SIP/2.0 477");
    EXPECT_EQ(transactions(), 0u);
}

TEST_F(TmTest, NewtranThenReplyIsStateful) {
    script("t_check_trans(); t_newtran(); send_reply(\"404\", \"Not found\");");
    receive(invite());
    EXPECT_EQ(lines(g_up), Lines{"SIP/2.0 404 Not found"});
    wait(600);
    EXPECT_EQ(g_up.size(), 2u);
    receive(invite("ACK"));
    wait(6000);
    EXPECT_EQ(transactions(), 0u);
}

TEST_F(TmTest, OverTcpNothingIsRepeatedAndShortTransactionsEndAtOnce) {
    script("t_relay();");
    std::string bye = invite("BYE");
    bye.replace(bye.find("sip:bob@127.0.0.1:28700"), 23, "sip:bob@127.0.0.1:28700;transport=tcp");
    receive(bye, Transport::tcp);
    ASSERT_EQ(g_down.size(), 1u);
    const std::string sent = g_down[0].text;
    wait(5000);
    EXPECT_EQ(g_down.size(), 1u);
    receive(reply_to(sent, 200));
    EXPECT_EQ(transactions(), 0u);
}

TEST_F(TmTest, MemoryIsGivenBack) {
    script("t_on_failure(\"X\"); t_relay();", "failure_route[X] { t_reply(\"500\", \"x\"); }\n");
    receive(invite());
    receive(reply_to(g_down[0].text, 486));
    receive(invite("ACK"));
    wait(40'000);
    wait(40'000);
    EXPECT_EQ(transactions(), 0u);
    const auto stats = mem::heap_stats();
    EXPECT_EQ(stats.by_tag[static_cast<size_t>(mem::Tag::transaction)].blocks, 0);
}

}  // namespace
}  // namespace kahu::tm
