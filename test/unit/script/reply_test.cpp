// test/unit/script/reply_test.cpp -- the way of a message through handle(): replies, ACKs, malformed input, no
// allocation.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/unit/script/allocation_count.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

int answer(Run& run, const Args& args) {
    return reply_stateless(run, static_cast<int>(args.number(run, 0)), {.reason = args.text(run, 1)}) ? 1 : -1;
}
constexpr Function kAnswer[] = {{"answer", 2, 2, "(int code, string reason)", "For the test.", kRequestRoute, answer}};
const ModuleDescriptor kAnswering{.name = "answering", .summary = "s", .functions = kAnswer};

std::string header(const std::string& message, const std::string& name) {
    const size_t at = message.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t from = at + name.size() + 4;
    return message.substr(from, message.find("\r\n", from) - from);
}
std::string tag_of(const std::string& message) {
    const std::string to = header(message, "To");
    const size_t at = to.find(";tag=");
    return at == std::string::npos ? "" : to.substr(at + 5);
}

TEST(Reply, CarriesWhatRfc3261Wants) {
    Script script("request_route { answer(\"200\", \"OK\"); }", {&kAnswering});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const Outcome out = script.send(request());
    ASSERT_EQ(out.replies.size(), 1u);
    const std::string& reply = out.replies[0];
    EXPECT_EQ(out.first_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(header(reply, "Via"), "SIP/2.0/UDP 10.1.2.3:26102;branch=z9hG4bK77;rport=26101;received=10.1.2.3");
    EXPECT_EQ(header(reply, "From"), "\"Alice A\" <sip:alice@atlanta.example>;tag=a1");
    EXPECT_EQ(header(reply, "Call-ID"), "abc@10.1.2.3");
    EXPECT_EQ(header(reply, "CSeq"), "7 OPTIONS");
    EXPECT_EQ(header(reply, "Content-Length"), "0");
    EXPECT_EQ(header(reply, "Server").substr(0, 4), "kahu");
    EXPECT_EQ(tag_of(reply).size(), kStatelessTagBytes);
    EXPECT_EQ(out.targets[0].port(), 26101);  // it asked with rport
}

TEST(Reply, GoesToSentByPortWithoutRport) {
    Script script("request_route { if ($rU == \"forced\") force_rport(); answer(200, \"OK\"); }", {&kAnswering});
    std::string message = request();
    message.erase(message.find(";rport"), 6);
    EXPECT_EQ(script.send(message).targets.at(0).port(), 26102);
    const size_t user = message.find("sip:bob");
    message.replace(user, 7, "sip:forced");
    EXPECT_EQ(script.send(message).targets.at(0).port(), 26101);
}

TEST(Reply, TagIsTheSameForRetransmissionsAndDiffersOtherwise) {
    Script script("request_route { answer(404, \"Not here\"); }", {&kAnswering});
    const std::string first = request("INVITE"), again = request("INVITE");
    std::string other = first;
    other.replace(other.find("z9hG4bK77"), 9, "z9hG4bK78");
    const std::string tag = tag_of(script.send(first).replies.at(0));
    EXPECT_EQ(tag_of(script.send(again).replies.at(0)), tag);
    EXPECT_NE(tag_of(script.send(other).replies.at(0)), tag);
}

TEST(Reply, AckToOursEndsHereAndOthersReachTheScript) {
    Script script("request_route { log(\"$rm\"); answer(404, \"Not here\"); }", {&kAnswering});
    const std::string invite = request("INVITE");
    const std::string tag = tag_of(script.send(invite).replies.at(0));
    std::string ack = request("ACK");
    const size_t to = ack.find("To: <sip:bob@example.com>") + 25;
    ack.insert(to, ";tag=" + tag);
    EXPECT_TRUE(script.send(ack).lines.empty());
    ack.replace(to + 5, tag.size(), std::string(tag.size(), 'x'));
    const Outcome foreign = script.send(ack);
    EXPECT_EQ(foreign.line(), "ACK");
    EXPECT_TRUE(foreign.replies.empty()) << "an ACK is never answered";
}

TEST(Reply, ServerHeaderFollowsTheParameters) {
    Script script("request_route { answer(200, \"OK\"); }", {&kAnswering});
    params::server_signature.set(0);
    EXPECT_EQ(header(script.send(request()).replies.at(0), "Server"), "");
    params::server_signature.set(1);
    ASSERT_TRUE(params::server_header.set("Server: Mine 1.0"));
    EXPECT_EQ(header(script.send(request()).replies.at(0), "Server"), "Mine 1.0");
    ASSERT_TRUE(params::server_header.set(""));
}

TEST(Reply, WarningTellsTheSourceWhenAsked) {
    Script script("request_route { answer(200, \"OK\"); }", {&kAnswering});
    params::sip_warning.set(1);
    const Outcome out = script.send(request());
    params::sip_warning.set(0);
    EXPECT_EQ(header(out.replies.at(0), "Warning").substr(0, 24), "392 127.0.0.1:26100 \"pid");
}

struct Malformed {
    const char* name;
    const char* find;     // in a good request ...
    const char* replace;  // ... becomes this
    const char* answer;   // first line of the reply; "" for none
};
constexpr Malformed kMalformed[] = {
    {"version", "SIP/2.0\r\nVia", "SIP/7.0\r\nVia", "SIP/2.0 505"},
    {"no_call_id", "Call-ID: abc@10.1.2.3\r\n", "", "SIP/2.0 400"},
    {"no_from", "From: \"Alice A\" <sip:alice@atlanta.example>;tag=a1\r\n", "", "SIP/2.0 400"},
    {"cseq_method", "7 OPTIONS", "7 INVITE", "SIP/2.0 400"},
    {"scheme", "sip:bob@example.com:5070;transport=tcp", "soap.beep://192.0.2.103:3002", "SIP/2.0 416"},
    {"max_forwards", "Max-Forwards: 70", "Max-Forwards: 300", "SIP/2.0 400"},
    {"no_via", "Via: SIP/2.0/UDP 10.1.2.3:26102;branch=z9hG4bK77;rport\r\n", "", ""},
};
class MalformedRequests : public testing::TestWithParam<Malformed> {};
TEST_P(MalformedRequests, AreAnsweredBeforeTheScript) {
    Script script("request_route { log(\"script\"); }");
    std::string message = request();
    const size_t at = message.find(GetParam().find);
    ASSERT_NE(at, std::string::npos);
    message.replace(at, std::string(GetParam().find).size(), GetParam().replace);
    const Outcome out = script.send(message);
    EXPECT_TRUE(out.lines.empty());
    EXPECT_EQ(out.first_line().substr(0, 11), GetParam().answer);
}
INSTANTIATE_TEST_SUITE_P(Handle, MalformedRequests, testing::ValuesIn(kMalformed),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Handle, MalformedAcksAndRepliesAreDropped) {
    Script script("request_route { log(\"script\"); } reply_route { log(\"script\"); }");
    std::string ack = request("ACK"), bad_reply = reply();
    ack.erase(ack.find("Call-ID"), 23);
    bad_reply.erase(bad_reply.find("CSeq"), 16);
    for (const std::string& message :
         {ack, bad_reply, std::string("nonsense"), std::string(), std::string("\r\n\r\n")}) {
        const Outcome out = script.send(message);
        EXPECT_TRUE(out.lines.empty() && out.replies.empty()) << message;
    }
}

TEST(Handle, NoPrefixOfARequestCrashesIt) {
    Script script("request_route { answer(200, \"OK\"); }", {&kAnswering});
    const std::string whole = request("INVITE", "sip:a@b", "Subject: x\r\n", "body");
    for (size_t n = 0; n <= whole.size(); ++n) {
        const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<long>(n));
        script.send({exact.data(), exact.size()});
    }
}

// The ones of RFC 4475 and RFC 5118 that are shipped with the tests: read by the whole way, and answered or not, no
// crash.
TEST(Handle, SurvivesTheTortureMessages) {
    Script script(
        "request_route { log(\"$ru $rU $rd $fu $fn $tu $tU $hdr(Via) $hdr(Contact) $ci $cs $ua $rb $au\"); "
        "if (uri == myself || from_uri == myself) exit; answer(200, \"OK\"); } reply_route { log(\"$rs $rr\"); }",
        {&kAnswering});
    const char* const source = std::getenv("KAHU_SOURCE_DIR");
    const std::filesystem::path folder = std::filesystem::path(source == nullptr ? "." : source) / "test/torture";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
        if (file.path().extension() != ".dat") continue;
        std::ifstream in(file.path(), std::ios::binary);
        std::stringstream bytes;
        bytes << in.rdbuf();
        const std::string text = bytes.str();
        const std::vector<char> exact(text.begin(), text.end());
        script.send({exact.data(), exact.size()});
    }
}

net::Sent swallow(const net::Inbound&, const SocketAddress&, std::string_view) { return net::Sent::ok; }

struct Steady {
    const char* name;
    const char* statements;
};
constexpr Steady kSteady[] = {
    {"answer", "answer(200, \"OK\"); exit;"},
    {"conditions",
     "if (src_ip == 10.0.0.0/8 && method == \"OPTIONS\" && $rU == \"bob\" && uri != myself) answer(200, \"OK\");"},
    {"variables",
     "$var(t) = \"x\" + $ru + $fU; $avp(a) = $var(t); $rU = \"y\"; answer(200, \"to $tu from $fu via $si\");"},
    {"transformations", "$avp(a) = $(ru{s.substr,1,9}{s.toupper}{s.encode.hexa}); answer(200, \"$avp(a)\");"},
};
class SteadyState : public testing::TestWithParam<Steady> {};
TEST_P(SteadyState, AllocatesNothing) {
    Script script(std::string("request_route { ") + GetParam().statements + " }", {&kAnswering});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    set_reply_sender(swallow);
    log::set_level(log::Level::warn);
    const std::string message = request();
    const net::Inbound inbound = from("2001:db8::1:2:3", Transport::tls), v4 = from();
    for (int i = 0; i < 3; ++i) script.program->handle(message, inbound), script.program->handle(message, v4);
    const size_t before = allocations();
    for (int i = 0; i < 100; ++i) script.program->handle(message, inbound), script.program->handle(message, v4);
    EXPECT_EQ(allocations(), before);
}
INSTANTIATE_TEST_SUITE_P(Handle, SteadyState, testing::ValuesIn(kSteady),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Arena, IsBoundedAndReused) {
    Arena arena;
    for (size_t total = 0; total < Arena::kLimit; total += 4096) ASSERT_NE(arena.allocate(4096), nullptr);
    EXPECT_EQ(arena.allocate(Arena::kLimit), nullptr);
    EXPECT_TRUE(arena.exhausted());
    arena.reset();
    EXPECT_FALSE(arena.exhausted());
    TextBuilder builder(arena);
    std::string expected;
    for (int i = 0; i < 20000; ++i) builder.append("0123456789"), expected += "0123456789";
    EXPECT_EQ(builder.take(), expected);
    EXPECT_EQ(arena.copy("after"), "after");
}

TEST(Handle, AScriptThatBuildsTooMuchTextGetsEmptyOnes) {
    Script script(
        "request_route { $var(t) = \"0123456789abcdef\"; $var(i) = 0; "
        "while ($var(i) < 40) { $var(t) = $var(t) + $var(t); $var(i) = $var(i) + 1; } answer(200, \"OK\"); }",
        {&kAnswering});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).first_line(), "SIP/2.0 200 OK");
}

}  // namespace
}  // namespace kahu::script::test
