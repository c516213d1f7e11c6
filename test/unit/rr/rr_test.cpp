// What leaves: requests after record_route() and loose_route(), as the next hop gets them.
#include "core/modules/rr/module.h"
#include "core/net/listener.h"
#include "core/script/outgoing.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

constexpr uint16_t kUdp = 0, kTcp = 1, kTls = 2, kSecond = 3;

void listen() {
    static bool done = false;
    if (std::exchange(done, true)) return;
    net::ListenSpec udp, tcp, tls, second;
    udp.host = tcp.host = tls.host = "127.0.0.1";
    second.host = "127.0.0.2";
    udp.port = tcp.port = 5060;
    tls.port = 5061;
    second.port = 5070;
    second.advertise_host = "edge.example.com";
    tcp.transport = Transport::tcp;
    tls.transport = Transport::tls;
    const net::ListenSpec specs[] = {udp, tcp, tls, second};
    ASSERT_TRUE(net::plan_listeners(specs, true, true));
}

// leave_by(N): what the request would look like on listener N; the next hop goes to the log.
int leave_by(Run& run, const Args& args) {
    net::Destination to;
    to.listener = static_cast<uint16_t>(args.number(run, 0));
    to.transport = net::listeners()[to.listener].transport;
    std::string bytes;
    build_request(run, {.to = &to, .branch = "z9hG4bKtest"}, bytes);
    g_outcome.replies.push_back(bytes);
    sip::Uri uri;
    const sip::Uri* const hop = next_hop(run, uri);
    g_outcome.lines.push_back((hop == nullptr ? "-" : std::string(hop->text)) + " " +
                              std::to_string(run.branches.main().socket));
    return 1;
}
const Function kProbes[] = {{"leave_by", 1, 1, "(int listener)", "Test.", kAnyRoute, leave_by}};
const ModuleDescriptor kProbe{.name = "probe", .summary = "Test.", .functions = kProbes};

struct Sent {
    std::string bytes, line;
    std::vector<std::string> values(std::string_view name) const {
        std::vector<std::string> found;
        sip::Message message;
        sip::Bad bad;
        EXPECT_TRUE(message.parse(bytes, bad)) << bad.rule << "\n" << bytes;
        for (const sip::HeaderField* f = message.first(name); f; f = message.next(f)) found.emplace_back(f->value);
        return found;
    }
};
Sent sent(const std::string& statements, const std::string& message, Transport transport = Transport::udp) {
    listen();
    Script script("request_route {\n" + statements + "\n}\n", {&rr::kModule, &kProbe});
    EXPECT_NE(script.program, nullptr) << script.found.text();
    net::Inbound inbound = from("10.1.2.3", transport);
    inbound.listener = transport == Transport::udp ? kUdp : transport == Transport::tcp ? kTcp : kTls;
    const Outcome outcome = script.send(message, inbound);
    return {outcome.replies.empty() ? "" : outcome.replies[0], outcome.line()};
}
std::string invite(std::string_view headers = "", std::string_view uri = "sip:bob@example.com") {
    return request("INVITE", uri, headers);
}
std::string bye(std::string_view headers, std::string_view uri = "sip:bob@10.9.9.9:5080") {
    std::string text = request("BYE", uri, headers);
    const std::string_view to = "To: <sip:bob@example.com>";
    return text.replace(text.find(to), to.size(), std::string(to) + ";tag=b2");
}
using Values = std::vector<std::string>;

TEST(Outgoing, OurViaIsOnTopAndTheSendersTellsWhereItCameFrom) {
    const Sent got = sent("leave_by(0);", invite());
    EXPECT_EQ(got.values("Via"), (Values{"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKtest",
                                         "SIP/2.0/UDP 10.1.2.3:26102;branch=z9hG4bK77;rport=26101;received=10.1.2.3"}));
}
TEST(Outgoing, ForcedRportIsAdded) {
    std::string message = invite();
    message.replace(message.find(";rport"), 6, "");
    EXPECT_EQ(sent("force_rport(); leave_by(0);", message).values("Via")[1],
              "SIP/2.0/UDP 10.1.2.3:26102;branch=z9hG4bK77;rport=26101;received=10.1.2.3");
    EXPECT_EQ(sent("leave_by(0);", message).values("Via")[1], "SIP/2.0/UDP 10.1.2.3:26102;branch=z9hG4bK77");
}
TEST(Outgoing, PX_04_MaxForwardsIsAddedWhereItIsMissing) {
    std::string message = invite();
    message.erase(message.find("Max-Forwards"), 18);
    EXPECT_EQ(sent("leave_by(0);", message).values("Max-Forwards"), Values{"70"});
}
TEST(Outgoing, StreamsGetAContentLength) {
    std::string message = invite();
    message.erase(message.find("Content-Length"), 19);
    EXPECT_EQ(sent("leave_by(1);", message).values("Content-Length"), Values{"0"});
    EXPECT_EQ(sent("leave_by(0);", message).values("Content-Length"), Values{});
}
TEST(Outgoing, PX_11_TheRestIsForwardedAsItCame) {
    const std::string odd = "X-Odd:\t a;;b  ,c\r\nx-odd: two\r\n Folded: no\r\n";
    const std::string message = request("INVITE", "sip:bob@example.com", odd, std::string("body\r\n\0\xff", 8));
    const std::string got = sent("$ru = \"sip:carol@other.example\"; leave_by(0);", message).bytes;
    EXPECT_EQ(got.substr(0, got.find("\r\n")), "INVITE sip:carol@other.example SIP/2.0");
    EXPECT_EQ(got.substr(got.find("Max-Forwards")), message.substr(message.find("Max-Forwards")));
}

struct RecordCase {
    const char* name;
    const char* statements;
    Transport by;
    int leaves_by;
    Values expected;
};
const RecordCase kRecords[] = {
    {"PX_09_one", "record_route();", Transport::udp, kUdp, {"<sip:127.0.0.1;lr;ftag=a1>"}},
    {"PX_10_two_where_transports_differ",
     "record_route();",
     Transport::udp,
     kTls,
     {"<sip:127.0.0.1;transport=tls;r2=on;lr;ftag=a1>", "<sip:127.0.0.1;r2=on;lr;ftag=a1>"}},
    {"two_tcp_in",
     "record_route();",
     Transport::tcp,
     kUdp,
     {"<sip:127.0.0.1;r2=on;lr;ftag=a1>", "<sip:127.0.0.1;transport=tcp;r2=on;lr;ftag=a1>"}},
    {"advertised_socket",
     "record_route();",
     Transport::udp,
     kSecond,
     {"<sip:edge.example.com:5070;r2=on;lr;ftag=a1>", "<sip:127.0.0.1;r2=on;lr;ftag=a1>"}},
    {"parameters_before_and_after",
     "add_rr_param(\";a=1\"); record_route(); add_rr_param(\";b=2\");",
     Transport::udp,
     kUdp,
     {"<sip:127.0.0.1;lr;ftag=a1;a=1;b=2>"}},
    {"argument", "record_route(\"x=1\");", Transport::udp, kUdp, {"<sip:127.0.0.1;lr;ftag=a1;x=1>"}},
    {"preset",
     "record_route_preset(\"1.2.3.4:5090;transport=tcp\");",
     Transport::udp,
     kTls,
     {"<sip:1.2.3.4:5090;transport=tcp;lr;ftag=a1>"}},
    {"two_presets",
     "record_route_preset(\"1.2.3.4\", \"5.6.7.8\");",
     Transport::udp,
     kUdp,
     {"<sip:1.2.3.4;r2=on;lr;ftag=a1>", "<sip:5.6.7.8;r2=on;lr;ftag=a1>"}},
    {"advertised_address",
     "record_route_advertised_address(\"pub.example:5066\");",
     Transport::udp,
     kTls,
     {"<sip:pub.example:5066;transport=tls;r2=on;lr;ftag=a1>", "<sip:pub.example:5066;r2=on;lr;ftag=a1>"}},
    {"taken_back", "record_route(); remove_record_route();", Transport::udp, kUdp, {}},
    {"once", "record_route(); record_route();", Transport::udp, kUdp, {"<sip:127.0.0.1;lr;ftag=a1>"}},
};
class RecordRoute : public testing::TestWithParam<RecordCase> {};
TEST_P(RecordRoute, IsWrittenWhenTheSocketIsKnown) {
    const RecordCase& c = GetParam();
    const Sent got =
        sent(std::string(c.statements) + " leave_by(" + std::to_string(c.leaves_by) + ");", invite(), c.by);
    EXPECT_EQ(got.values("Record-Route"), c.expected);
}
INSTANTIATE_TEST_SUITE_P(Rr, RecordRoute, testing::ValuesIn(kRecords),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(RecordRouteOf, UR_03_SipsRequestsIsSips) {
    const Sent got = sent("record_route(); leave_by(2);", invite("", "sips:bob@example.com"), Transport::tls);
    EXPECT_EQ(got.values("Record-Route"), Values{"<sips:127.0.0.1;lr;ftag=a1>"});
}
TEST(RecordRouteOf, OthersStayBelowOurs) {
    const Sent got = sent("record_route(); leave_by(0);", invite("Record-Route: <sip:first.example;lr>\r\n"));
    EXPECT_EQ(got.values("Record-Route"), (Values{"<sip:127.0.0.1;lr;ftag=a1>", "<sip:first.example;lr>"}));
}

struct RouteCase {
    const char* name;
    std::string message;
    const char* rc;
    const char* hop;  // and the socket chosen, 65535 for none
    const char* uri;  // in the Request-Line
    Values routes;
};
const RouteCase kRoutes[] = {
    {"no_route", bye(""), "-1", "sip:bob@10.9.9.9:5080 65535", "sip:bob@10.9.9.9:5080", {}},
    {"own_only", bye("Route: <sip:127.0.0.1;lr>\r\n"), "1", "sip:bob@10.9.9.9:5080 65535", "sip:bob@10.9.9.9:5080", {}},
    {"own_then_next",
     bye("Route: <sip:127.0.0.1;lr>, <sip:next.example;lr>\r\n"),
     "1",
     "sip:next.example;lr 65535",
     "sip:bob@10.9.9.9:5080",
     {"<sip:next.example;lr>"}},
    {"own_in_a_header_of_its_own",
     bye("Route: <sip:127.0.0.1;lr>\r\nRoute: <sip:n.example;lr>,<sip:m.example;lr>\r\n"),
     "1",
     "sip:n.example;lr 65535",
     "sip:bob@10.9.9.9:5080",
     {"<sip:n.example;lr>,<sip:m.example;lr>"}},
    {"PX_10_pair",
     bye("Route: <sip:127.0.0.1;r2=on;lr>,<sip:127.0.0.1;transport=tls;r2=on;lr>\r\n"),
     "1",
     "sip:bob@10.9.9.9:5080 2",
     "sip:bob@10.9.9.9:5080",
     {}},
    {"PX_08_advertised",
     bye("Route: <sip:edge.example.com:5070;lr>\r\n"),
     "1",
     "sip:bob@10.9.9.9:5080 65535",
     "sip:bob@10.9.9.9:5080",
     {}},
    {"PX_08_second_listener",
     bye("Route: <sip:127.0.0.2:5070;lr>\r\n"),
     "1",
     "sip:bob@10.9.9.9:5080 65535",
     "sip:bob@10.9.9.9:5080",
     {}},
    {"PX_12_strict_next_hop",
     bye("Route: <sip:127.0.0.1;lr>,<sip:strict.example>,<sip:last.example;lr>\r\n"),
     "1",
     "sip:strict.example 65535",
     "sip:strict.example",
     {"<sip:last.example;lr>", "<sip:bob@10.9.9.9:5080>"}},
    {"PX_06_strict_router_before_us",
     bye("Route: <sip:bob@10.9.9.9:5080>\r\n", "sip:127.0.0.1;lr"),
     "1",
     "sip:bob@10.9.9.9:5080 65535",
     "sip:bob@10.9.9.9:5080",
     {}},
    {"strict_router_with_more_routes",
     bye("Route: <sip:n.example;lr>,<sip:bob@10.9.9.9>\r\n", "sip:127.0.0.1;lr"),
     "1",
     "sip:n.example;lr 65535",
     "sip:bob@10.9.9.9",
     {"<sip:n.example;lr>"}},
    {"not_ours_in_dialog",
     bye("Route: <sip:n.example;lr>\r\n"),
     "1",
     "sip:n.example;lr 65535",
     "sip:bob@10.9.9.9:5080",
     {"<sip:n.example;lr>"}},
    {"not_ours_no_dialog",
     invite("Route: <sip:n.example;lr>\r\n"),
     "-1",
     "sip:bob@example.com 65535",
     "sip:bob@example.com",
     {"<sip:n.example;lr>"}},
    {"preloaded_with_ours",
     invite("Route: <sip:127.0.0.1;lr>,<sip:n.example;lr>\r\n"),
     "1",
     "sip:n.example;lr 65535",
     "sip:bob@example.com",
     {"<sip:n.example;lr>"}},
    {"malformed",
     bye("Route: <sip:127.0.0.1;lr\r\n"),
     "-1",
     "sip:bob@10.9.9.9:5080 65535",
     "sip:bob@10.9.9.9:5080",
     {"<sip:127.0.0.1;lr"}},
};
class LooseRoute : public testing::TestWithParam<RouteCase> {};
TEST_P(LooseRoute, FollowsRfc3261) {
    const RouteCase& c = GetParam();
    const Sent routed = sent("loose_route(); leave_by(0);", c.message);
    EXPECT_EQ(routed.line, c.hop);
    EXPECT_EQ(routed.bytes.substr(0, routed.bytes.find(" SIP/2.0")),
              c.message.substr(0, c.message.find(' ')) + " " + c.uri);
    EXPECT_EQ(routed.values("Route"), c.routes);
    EXPECT_EQ(logged("loose_route(); log(\"$rc\");", c.message, {&rr::kModule}), c.rc);
}
INSTANTIATE_TEST_SUITE_P(Rr, LooseRoute, testing::ValuesIn(kRoutes),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(RouteParams, TellTheDirection) {
    const std::string statements =
        "loose_route(); if (is_direction(\"downstream\")) log(\"down\"); "
        "else if (is_direction(\"upstream\")) log(\"up\"); else log(\"none\");";
    listen();
    EXPECT_EQ(logged(statements, bye("Route: <sip:127.0.0.1;lr;ftag=a1>\r\n"), {&rr::kModule}), "down");
    EXPECT_EQ(logged(statements, bye("Route: <sip:127.0.0.1;lr;ftag=zz>\r\n"), {&rr::kModule}), "up");
    EXPECT_EQ(logged(statements, bye(""), {&rr::kModule}), "down");
    EXPECT_EQ(logged("loose_route(); if (check_route_param(\"nat=y[e]s\")) log(\"nat\"); else log(\"no\");",
                     bye("Route: <sip:127.0.0.1;lr;nat=yes>\r\n"), {&rr::kModule}),
              "nat");
}

TEST(OwnMaddr, PX_07_IsTakenOutWithPortAndTransport) {
    listen();
    const std::string statements = "log(\"$ru\");";
    const auto uri_after = [&](std::string_view uri) { return logged(statements, invite("", uri)); };
    EXPECT_EQ(uri_after("sip:bob@example.com:26100;maddr=127.0.0.1;transport=udp;x=1"), "sip:bob@example.com;x=1");
    EXPECT_EQ(uri_after("sip:bob@example.com;maddr=127.0.0.1"), "sip:bob@example.com;maddr=127.0.0.1") << "other port";
    EXPECT_EQ(uri_after("sip:bob@example.com:26100;maddr=10.9.9.9"), "sip:bob@example.com:26100;maddr=10.9.9.9");
    EXPECT_EQ(uri_after("sip:bob@example.com:26100;maddr=127.0.0.1;transport=tcp"),
              "sip:bob@example.com:26100;maddr=127.0.0.1;transport=tcp");
}

TEST(RelayedReply, LosesItsTopViaOnly) {
    listen();
    kahu::script::Run run;
    sip::Message message;
    sip::Bad bad;
    const net::Inbound inbound = from();
    const std::string tail = "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n";
    const std::string ours = "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;i=2a",
                      theirs = "SIP/2.0/TCP 10.0.0.7:5070;branch=z9hG4bK2;received=10.0.0.8;rport=4711";
    for (const bool joined : {false, true}) {
        const std::string vias =
            joined ? "Via: " + ours + " , " + theirs + "\r\n" : "Via: " + ours + "\r\nv: " + theirs + "\r\n";
        const std::string bytes = "SIP/2.0 180 Ringing\r\n" + vias + tail;
        ASSERT_TRUE(message.parse(bytes, bad));
        run.begin(message, inbound, kReplyRoute);
        std::string out;
        ASSERT_TRUE(build_relayed_reply(run, out));
        EXPECT_EQ(out, "SIP/2.0 180 Ringing\r\n" + std::string(joined ? "Via: " : "v: ") + theirs + "\r\n" + tail);
        EXPECT_TRUE(top_via_is_ours(message));
        net::Destination to;
        ASSERT_TRUE(reply_destination(message, to));
        EXPECT_EQ(to.address.text(), "10.0.0.8:5070");  // when its connection is gone: RFC 3261 18.2.2
        EXPECT_EQ(to.transport, Transport::tcp);
        EXPECT_EQ(to.connection, net::ConnectionId{0x2a});
    }
    const std::string last = "SIP/2.0 180 Ringing\r\nVia: " + ours + "\r\n" + tail;
    ASSERT_TRUE(message.parse(last, bad));
    run.begin(message, inbound, kReplyRoute);
    std::string out;
    EXPECT_FALSE(build_relayed_reply(run, out)) << "PX-14";
}

TEST(Saved, RunKeepsWhatRrAskedFor) {
    kahu::script::Run run, other;
    sip::Message message;
    sip::Bad bad;
    const std::string bytes = invite();
    const net::Inbound inbound = from();
    ASSERT_TRUE(message.parse(bytes, bad));
    run.begin(message, inbound, kRequestRoute);
    run.record_route = {
        .wanted = true, .doubled = false, .user = "u", .params = ";lr", .presets = {"a", "b"}, .advertised = "c"};
    run.forward_no_connect = true;
    std::string saved;
    run.save(saved);
    other.begin(message, inbound, kFailureRoute);
    other.restore(saved);
    EXPECT_TRUE(other.record_route.wanted);
    EXPECT_FALSE(other.record_route.doubled);
    EXPECT_TRUE(other.forward_no_connect);
    EXPECT_EQ(other.record_route.params, ";lr");
    EXPECT_EQ(other.record_route.presets[1], "b");
    EXPECT_EQ(other.record_route.advertised, "c");
}

TEST(Rr, RowsAreWellFormed) { EXPECT_TRUE(well_formed(rr::kModule)); }

}  // namespace
}  // namespace kahu::script::test
