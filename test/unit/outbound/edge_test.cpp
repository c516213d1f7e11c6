// The script's side: add_path() and record_route() write tokens, loose_route() follows them.
#include <gtest/gtest.h>

#include "core/modules/outbound/module.h"
#include "core/modules/path/module.h"
#include "core/modules/rr/module.h"
#include "core/net/listener.h"
#include "core/script/outgoing.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

constexpr uint16_t kUdp = 0, kSecond = 1;

void prepare() {
    static bool done = false;
    if (std::exchange(done, true)) return;
    net::ListenSpec udp, second;
    udp.host = "127.0.0.1";
    second.host = "127.0.0.2";
    udp.port = second.port = 5060;
    second.name = "inside";
    const net::ListenSpec specs[] = {udp, second};
    ASSERT_TRUE(net::plan_listeners(specs, true, true));
    ASSERT_TRUE(outbound::kModule.hooks.check());
    ASSERT_TRUE(path::kModule.hooks.check());
}

// leave_by(N): what the request would look like on listener N.  phone_by(N): the same, to a phone that registered with
// reg-id.
std::string built(Run& run, const Args& args, Phone phone) {
    net::Destination to;
    to.listener = static_cast<uint16_t>(args.number(run, 0));
    to.address = *SocketAddress::parse_ip("10.7.7.7", 7777);
    std::string bytes;
    build_request(run, {.to = &to, .branch = "z9hG4bKtest", .phone = phone}, bytes);
    return bytes;
}
int leave_by(Run& run, const Args& args) {
    g_outcome.replies.push_back(built(run, args, Phone::no));
    return 1;
}
int phone_by(Run& run, const Args& args) {
    g_outcome.replies.push_back(built(run, args, Phone::outbound));
    return 1;
}
const Function kProbes[] = {{"leave_by", 1, 1, "(int listener)", "Test.", kAnyRoute, leave_by},
                            {"phone_by", 1, 1, "(int listener)", "Test.", kAnyRoute, phone_by}};
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
Sent sent(const std::string& statements, const std::string& message, const char* source = "10.1.2.3") {
    prepare();
    Script script("request_route {\n" + statements + "\n}\n",
                  {&rr::kModule, &path::kModule, &outbound::kModule, &kProbe});
    EXPECT_NE(script.program, nullptr) << script.found.text();
    net::Inbound inbound = from(source, Transport::udp);
    inbound.listener = kUdp;
    const Outcome outcome = script.send(message, inbound);
    return {outcome.replies.empty() ? "" : outcome.replies[0], outcome.line()};
}
std::string token_in(const std::string& value) {
    const size_t at = value.find('@'), begin = value.find("sip:") + 4;
    return at == value.npos ? "" : value.substr(begin, at - begin);
}

const std::string kRegister = request("REGISTER", "sip:example.com", "Contact: <sip:a@192.0.2.1>;reg-id=1\r\n");
const std::string kInvite = request("INVITE", "sip:bob@example.com", "Contact: <sip:a@192.0.2.1;ob>\r\n");

std::string routed(std::string_view route, bool in_dialog) {
    std::string text = request("BYE", "sip:bob@10.9.9.9", "Route: " + std::string(route) + "\r\n");
    const std::string_view to = "To: <sip:bob@example.com>";
    return in_dialog ? text.replace(text.find(to), to.size(), std::string(to) + ";tag=b2") : text;
}
const std::string kFollow = "loose_route(); log(\"$rc $du\");";

TEST(Path, NamesTheSocketThatTheRequestLeavesBy) {
    const std::string plain = request("REGISTER", "sip:example.com", "Path: <sip:first;lr>\r\n");
    EXPECT_EQ(sent("add_path(); leave_by(1);", plain).values("Path"),
              (std::vector<std::string>{"<sip:127.0.0.2;lr>", "<sip:first;lr>"}));
    EXPECT_EQ(sent("add_path(\"lb\", \"x=1;y\"); leave_by(0);", plain).values("Path")[0],
              "<sip:lb@127.0.0.1;lr;x=1;y>");
    EXPECT_EQ(sent("add_path_received(\"lb\"); leave_by(0);", plain).values("Path")[0],
              "<sip:lb@127.0.0.1;lr;received=sip:10.1.2.3:26101>");
    EXPECT_EQ(sent("add_path(); add_path(\"two\"); leave_by(0);", plain).values("Path"),
              (std::vector<std::string>{"<sip:two@127.0.0.1;lr>", "<sip:127.0.0.1;lr>", "<sip:first;lr>"}));
    EXPECT_EQ(sent("if (!add_path(\"a>b\")) log(\"no\");", plain).line, "no") << "nothing may end the URI";
}
TEST(Path, HasATokenForAFlowOfTheFirstHop) {
    const auto value = sent("add_path(); leave_by(1);", kRegister).values("Path")[0];
    EXPECT_EQ(value, "<sip:" + token_in(value) + "@127.0.0.2;lr;ob>");
    EXPECT_EQ(token_in(value).size(), 39u);
    const std::string second_hop = request(
        "REGISTER", "sip:example.com", "Contact: <sip:a@192.0.2.1>;reg-id=1\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK\r\n");
    EXPECT_EQ(sent("add_path(); leave_by(1);", second_hop).values("Path")[0], "<sip:127.0.0.2;lr>");
    const std::string no_flow = request("REGISTER", "sip:example.com", "Contact: <sip:a@192.0.2.1>\r\n");
    EXPECT_EQ(sent("add_path(); leave_by(1);", no_flow).values("Path")[0], "<sip:127.0.0.2;lr>");
}
TEST(LooseRoute, FollowsATokenOfAnotherFlow) {
    const auto value = sent("add_path(); leave_by(0);", kRegister).values("Path")[0];
    for (const bool in_dialog : {false, true}) {
        EXPECT_EQ(sent(kFollow, routed(value, in_dialog), "10.8.8.8").line, "2 sip:10.1.2.3:26101");
        EXPECT_EQ(sent(kFollow, routed(value + ", <sip:next;lr>", in_dialog), "10.8.8.8").line, "2 sip:10.1.2.3:26101");
        EXPECT_EQ(sent(kFollow, routed(value + ", <sip:next;lr>", in_dialog)).line, "1 sip:next;lr") << "its own flow";
        std::string forged = value;
        forged[20] = forged[20] == 'A' ? 'B' : 'A';
        EXPECT_EQ(sent(kFollow, routed(forged, in_dialog), "10.8.8.8").line, "-2 <null>");
    }
    EXPECT_EQ(sent("loose_route_mode(\"2\"); log(\"$rc $du\");", routed(value, true), "10.8.8.8").line, "1 <null>");
}
TEST(LooseRoute, LeavesTheScriptWhatNamesOnlyUs) {
    EXPECT_EQ(sent(kFollow, routed("<sip:127.0.0.1;lr>", false)).line, "-3 <null>");
    EXPECT_EQ(sent(kFollow, routed("<sip:127.0.0.1;lr>", true)).line, "1 <null>");
    EXPECT_EQ(sent("loose_route_preloaded(); log(\"$rc\");", routed("<sip:127.0.0.1;lr>", false)).line, "1");
    EXPECT_EQ(sent(kFollow, routed("<sip:loadbalancer@127.0.0.1;lr;ob>", true)).line, "1 <null>") << "no token";
}
TEST(RecordRoute, LeadsBackToTheFlowsOfBothSides) {
    const Sent got = sent("record_route(); phone_by(1);", kInvite);
    const auto values = got.values("Record-Route");
    ASSERT_EQ(values.size(), 2u);
    EXPECT_NE(values[0].find("@127.0.0.2;r2=on;lr"), std::string::npos) << values[0];
    EXPECT_NE(values[1].find("@127.0.0.1;r2=on;lr"), std::string::npos) << values[1];
    // The caller's route set begins at its end.
    EXPECT_EQ(sent(kFollow, routed(values[1] + ", " + values[0], true)).line, "2 sip:10.7.7.7:7777");
    EXPECT_EQ(sent(kFollow, routed(values[0] + ", " + values[1], true), "10.8.8.8").line, "2 sip:10.7.7.7:7777");
    const auto one = sent("record_route(); leave_by(0);", kInvite).values("Record-Route");
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(sent(kFollow, routed(one[0], true), "10.8.8.8").line, "2 sip:10.1.2.3:26101");
    EXPECT_EQ(
        token_in(
            sent("record_route(); leave_by(0);", request("INVITE", "sip:bob@example.com")).values("Record-Route")[0]),
        "");
}
TEST(RecordRoute, KeepsTheTokenOfThePathThatLedToThePhone) {
    const auto path = sent("add_path(); leave_by(0);", kRegister).values("Path")[0];
    const std::string invite = request("INVITE", "sip:a@192.0.2.1", "Route: " + path + "\r\n");
    const auto values = sent("record_route(); loose_route(); leave_by(1);", invite, "10.8.8.8").values("Record-Route");
    ASSERT_EQ(values.size(), 2u);
    EXPECT_EQ(token_in(values[0]), token_in(path));
    EXPECT_EQ(token_in(values[1]), "");
}
TEST(RecordRoute, AddUsernameAndTokensExcludeEachOther) {
    prepare();
    for (const Param& param : rr::kModule.params)
        if (param.name == "add_username") param.number->set(1);
    EXPECT_FALSE(rr::kModule.hooks.check());
    for (const Param& param : rr::kModule.params)
        if (param.name == "add_username") param.number->set(0);
    EXPECT_TRUE(rr::kModule.hooks.check());
}

}  // namespace
}  // namespace kahu::script::test
