// Phones that are reached over the connection they registered on, which ends (RFC 5626 5.3).
#include "core/modules/tm/replies.h"
#include "test/unit/tm/fixture.h"

namespace kahu::tm::test {
namespace {

net::ConnectionId g_connection = net::ConnectionId::none;

int over_its_connection(script::Run& run, const script::Args& args) {
    run.branches.main().connection = g_connection;
    run.branches.main().flow_only = args.number(run, 0) != 0;
    return 1;
}
constexpr Function kProbes[] = {
    {"over_its_connection", 1, 1, "(int only)", "The main target is a phone.", kAnyRoute, over_its_connection}};
const ModuleDescriptor kProbe{.name = "probe", .summary = "Test.", .functions = kProbes};

class Flow : public TmTest {
  protected:
    void SetUp() override {
        TmTest::SetUp();
        row_ = new (&net::connection_row(0)) net::Connection{};
        row_->transport = Transport::tcp;
        row_->listener = 1;
        row_->peer = *SocketAddress::parse_ip("127.0.0.1", 28900);
        g_connection = net::next_id(*row_);
        net::publish_connection(*row_, g_connection);
    }
    void relay(std::string_view only, const std::string& failure_route = "") {
        const std::string armed = failure_route.empty() ? "" : "t_on_failure(\"F\"); ";
        script_ = std::make_unique<script::test::Script>(
            "request_route { over_its_connection(" + std::string(only) + "); " + armed + "t_relay(); }\n" +
                failure_route,
            std::vector<const ModuleDescriptor*>{&kModule, &sl::kModule, &kProbe});
        ASSERT_NE(script_->program, nullptr) << script_->found.text();
        receive(invite());
        ASSERT_EQ(g_down.size(), 1u);
        EXPECT_EQ(g_down[0].to, "tcp:127.0.0.1:28900");
        g_up.clear();  // the 100
    }
    // The worker that has the connection finds that it is gone.
    static void could_not_be_sent() { on_send_failure(g_down[0].ticket, net::SendFailure::lost); }

    net::Connection* row_ = nullptr;
};

TEST_F(Flow, OfAPhoneThatEndsUnderARequestIsAPhoneThatIsNotThere) {
    relay("0");
    could_not_be_sent();
    ASSERT_EQ(g_up.size(), 1u);
    EXPECT_EQ(g_up[0].first_line(), "SIP/2.0 480 Temporarily Unavailable");
}

TEST_F(Flow, WhichNothingElseLeadsToHasFailed) {
    relay("1");
    could_not_be_sent();
    ASSERT_EQ(g_up.size(), 1u);
    EXPECT_EQ(g_up[0].first_line(), "SIP/2.0 430 Flow Failed");
}

// The connection ended after the request was written to it.
TEST_F(Flow, WhoHasSaidSomethingMaySayTheRestOverAnotherConnection) {
    relay("0");
    receive(reply_to(g_down[0].text, 180));
    ASSERT_EQ(g_up.size(), 1u);
    on_send_failure(g_down[0].ticket, net::SendFailure::unanswered);
    ASSERT_EQ(g_up.size(), 1u);
    receive(reply_to(g_down[0].text, 200));
    ASSERT_EQ(g_up.size(), 2u);
    EXPECT_EQ(g_up[1].first_line(), "SIP/2.0 200 OK");
}

TEST_F(Flow, AFailureRouteSeesThatItFailed) {
    relay("1", "failure_route[F] { if (t_check_status(\"430\")) t_reply(\"499\", \"Seen\"); }\n");
    could_not_be_sent();
    ASSERT_EQ(g_up.size(), 1u);
    EXPECT_EQ(g_up[0].first_line(), "SIP/2.0 499 Seen");
}

}  // namespace
}  // namespace kahu::tm::test
