// test/unit/script/statements_test.cpp -- every kind of statement and operator: what the script logs tells what ran.
#include <algorithm>

#include "core/script/event_route.h"
#include "core/script/run.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* statements;  // of request_route
    const char* logged;      // all lines, separated by "|"
};

constexpr Case kCases[] = {
    {"if_true", "if (1) log(\"yes\"); else log(\"no\");", "yes"},
    {"if_false", "if (0) log(\"yes\"); else log(\"no\");", "no"},
    {"else_if", "if (0) log(\"a\"); else if (1) log(\"b\"); else log(\"c\");", "b"},
    {"exit_ends", "log(\"a\"); exit; log(\"b\");", "a"},
    {"drop_ends", "log(\"a\"); drop; log(\"b\");", "a"},
    {"return_ends_route", "log(\"a\"); return; log(\"b\");", "a"},
    {"block", "{ log(\"a\"); { log(\"b\"); } }", "a|b"},
    {"while_counts", "$var(i) = 0; while ($var(i) < 3) { log(\"$var(i)\"); $var(i) = $var(i) + 1; }", "0|1|2"},
    {"while_break", "$var(i) = 0; while (1) { $var(i) = $var(i) + 1; if ($var(i) == 2) break; } log(\"$var(i)\");",
     "2"},
    {"while_is_bounded", "$var(i) = 0; while (1) { $var(i) = $var(i) + 1; } log(\"$var(i)\");", "100"},
    {"switch_number", "switch (2) { case 1: log(\"1\"); break; case 2: log(\"2\"); break; default: log(\"d\"); }", "2"},
    {"switch_falls", "switch (1) { case 1: log(\"1\"); case 2: log(\"2\"); break; case 3: log(\"3\"); }", "1|2"},
    {"switch_default", "switch (9) { case 1: log(\"1\"); break; default: log(\"d\"); }", "d"},
    {"switch_text", "switch ($rU) { case \"al\": log(\"al\"); break; case \"bob\": log(\"bob\"); break; }", "bob"},
    {"switch_regex", "switch ($rU) { case /^bo/: log(\"bo\"); break; default: log(\"d\"); }", "bo"},
    {"switch_negative", "switch (-1) { case -1: case -3: log(\"neg\"); break; }", "neg"},
    {"switch_exit", "switch (1) { case 1: log(\"1\"); exit; } log(\"after\");", "1"},
    {"assign_text", "$var(x) = \"a$b\"; log(\"$var(x)\");", "a$b"},
    {"assign_int", "$var(x) = 12; log(\"$var(x)\");", "12"},
    {"assign_null_is_0", "$var(x) = \"a\"; $var(x) = $null; log(\"$var(x)\");", "0"},
    {"add_assign", "$var(x) = \"a\"; $var(x) = $var(x) + 1 + 2; log(\"$var(x)\");", "a12"},
    {"arithmetic", "$var(x) = 2 + 3 * 4 - 6 / 2 - 7 % 4; log(\"$var(x)\");", "8"},
    {"bits", "$var(x) = (12 & 10) | 1; log(\"$var(x)\");", "9"},
    {"shift", "$var(x) = 1 << 4 >> 1; log(\"$var(x)\");", "8"},
    {"divide_by_zero", "$var(x) = \"kept\"; $var(x) = \"a\" + 1 / 0; log(\"$var(x)\");", "kept"},
    {"modulo_by_zero", "$var(x) = 7; $var(x) = 1 % 0; log(\"$var(x)\");", "7"},
    {"divide_by_zero_holds_not", "if (!(1 / 0)) log(\"a\"); else log(\"b\"); if (1) log(\"c\");", "b|c"},
    {"negative_holds_not", "$var(x) = -1; if ($var(x)) log(\"a\"); else log(\"b\");", "b"},
    {"negative_is_true", "$var(x) = -1; $var(y) = 1; if ($var(x) && $var(y)) log(\"a\"); if (!$var(x)) log(\"b\");",
     "a"},
    {"return_code_is_kept", "$var(x) = isflagset(3); log(\"$var(x)\"); $var(x) = !isflagset(3); log(\"$var(x)\");",
     "-1|1"},
    {"zero_is_not_null",
     "$var(x) = 0; if ($var(x) == $null) log(\"a\"); if ($var(x) == \"\") log(\"b\"); if ($var(x) != $null) "
     "log(\"c\");",
     "c"},
    {"empty_is_not_null", "$var(x) = \"\"; if ($var(x) == $null) log(\"a\"); if ($var(x) == \"\") log(\"b\");", "b"},
    {"switch_quoted_regex", "switch ($rU) { case /\"^b:?o\": log(\"bo\"); break; default: log(\"d\"); }", "bo"},
    {"switch_regex_of_quotes", "switch (\"a\\\"b\") { case /\"b/: log(\"q\"); break; default: log(\"d\"); }", "q"},
    {"minus", "$var(x) = -5; if ($var(x) < 0) log(\"$var(x)\");", "-5"},
    {"join_left_text", "$var(x) = \"1\" + 2; log(\"$var(x)\");", "12"},
    {"add_left_int", "$var(x) = 1 + \"2\"; log(\"$var(x)\");", "3"},
    {"cast_int", "$var(x) = (int)\"12\" + 1; log(\"$var(x)\");", "13"},
    {"cast_text", "$var(x) = (str)12 + 1; log(\"$var(x)\");", "121"},
    {"hex_text_is_number", "$var(x) = 0 + \"0x1f\"; log(\"$var(x)\");", "31"},
    {"text_is_0", "$var(x) = 5 + \"abc\"; log(\"$var(x)\");", "5"},
    {"not", "if (!0) log(\"a\"); if (!1) log(\"b\");", "a"},
    {"and_or", "if (1 && 0 || 1) log(\"a\"); if (1 && (0 || 0)) log(\"b\");", "a"},
    {"compare_ints", "if (2 > 1 && 1 < 2 && 2 >= 2 && 2 <= 2 && 1 != 2) log(\"a\");", "a"},
    {"text_equal", "if ($rU == \"bob\") log(\"a\"); if ($rU == \"Bob\") log(\"b\");", "a"},
    {"null_is_empty",
     "if ($avp(x) == $null) log(\"a\"); if ($avp(x) == \"\") log(\"b\"); if ($avp(x) == 0) log(\"c\");", "a|b|c"},
    {"value_is_not_null", "if ($rU != $null) log(\"a\");", "a"},
    {"left_text_right_int",
     "$var(x) = \"5\"; if ($var(x) == 5) log(\"a\"); $var(x) = \"05\"; if ($var(x) == 5) log(\"b\");", "a"},
    {"left_int_right_text", "if (5 == \"05\") log(\"a\");", "a"},
    {"defined", "if (defined $avp(x)) log(\"a\"); $avp(x) = 1; if (defined $avp(x)) log(\"b\");", "b"},
    {"strempty", "if (strempty($avp(x))) log(\"a\"); if (strempty($rU)) log(\"b\");", "a"},
    {"strlen", "$var(x) = strlen($rU); log(\"$var(x)\");", "3"},
    {"text_is_no_truth", "$var(x) = \"abc\"; if ($var(x)) log(\"a\"); $var(x) = \"1\"; if ($var(x)) log(\"b\");", "b"},
    {"regex", "if ($rU =~ \"^B.b$\") log(\"a\"); if ($rU =~ \"^b$\") log(\"b\");", "a"},
    {"not_regex", "if (!($rU =~ \"^x\")) log(\"a\");", "a"},
    {"dynamic_regex", "$var(r) = \"^bo\"; if ($rU =~ $var(r)) log(\"a\");", "a"},
    {"bad_dynamic_regex", "$var(r) = \"(\"; if ($rU =~ $var(r)) log(\"a\"); else log(\"b\");", "b"},
    {"setflag", "setflag(3); if (isflagset(3)) log(\"a\"); resetflag(3); if (isflagset(3)) log(\"b\");", "a"},
    {"rc", "isflagset(3); log(\"$rc\"); setflag(1); log(\"$retcode\");", "-1|1"},
};

class Statements : public testing::TestWithParam<Case> {};

TEST_P(Statements, RunAsKamailioDoes) {
    Script script(std::string("request_route {\n") + GetParam().statements + "\n}\n");
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const Outcome out = script.send(request());
    std::string all;
    for (const std::string& line : out.lines) all += (all.empty() ? "" : "|") + line;
    EXPECT_EQ(all, GetParam().logged);
}
INSTANTIATE_TEST_SUITE_P(Language, Statements, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

// A second message finds the program as the first one did.
TEST_P(Statements, RunTheSameTwice) {
    Script script(std::string("request_route {\n") + GetParam().statements + "\n}\n");
    ASSERT_NE(script.program, nullptr) << script.found.text();
    script.send(request());
    clear_script_variables();
    const Outcome out = script.send(request());
    std::string all;
    for (const std::string& line : out.lines) all += (all.empty() ? "" : "|") + line;
    EXPECT_EQ(all, GetParam().logged);
}

struct RouteCase {
    const char* name;
    const char* config;
    const char* logged;
};
constexpr RouteCase kRoutes[] = {
    {"call_and_come_back", "request_route { route(A); log(\"main\"); } route[A] { log(\"a\"); }", "a|main"},
    {"called_before_defined", "route[A] { log(\"a\"); } request_route { route(A); }", "a"},
    {"return_value", "request_route { route(A); log(\"$rc\"); if (route(A)) log(\"t\"); } route[A] { return 5; }",
     "5|t"},
    {"return_negative", "request_route { if (!route(A)) log(\"f\"); } route[A] { return -1; }", "f"},
    {"return_zero_exits", "request_route { route(A); log(\"never\"); } route[A] { log(\"a\"); return 0; }", "a"},
    {"exit_in_route", "request_route { route(A); log(\"never\"); } route[A] { exit; }", ""},
    {"exit_in_condition",
     "request_route { if (route(A)) log(\"t\"); else log(\"f\"); log(\"never\"); } route[A] { exit; }", ""},
    {"exit_in_and",
     "request_route { if (route(A) && route(B)) log(\"t\"); } route[A] { exit; } route[B] { log(\"b\"); }", ""},
    {"no_return_is_last_value",
     "request_route { if (route(A)) log(\"t\"); else log(\"f\"); } route[A] { isflagset(4); }", "f"},
    {"dynamic_name", "request_route { route(\"N\" + \"1\"); } route[N1] { log(\"n1\"); }", "n1"},
    {"dynamic_unknown", "request_route { route(\"N\" + \"2\"); log(\"$rc\"); } route[N1] { log(\"n1\"); }", "-1"},
    {"numbers_are_names", "request_route { route(1); } route[1] { log(\"one\"); }", "one"},
    {"recursion_is_bounded",
     "request_route { $var(n) = 0; route(R); log(\"$var(n)\"); } "
     "route[R] { $var(n) = $var(n) + 1; route(R); }",
     "99"},
};
class Routing : public testing::TestWithParam<RouteCase> {};
TEST_P(Routing, CallsAndReturns) {
    Script script(GetParam().config);
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const Outcome out = script.send(request());
    std::string all;
    for (const std::string& line : out.lines) all += (all.empty() ? "" : "|") + line;
    EXPECT_EQ(all, GetParam().logged);
}
INSTANTIATE_TEST_SUITE_P(Language, Routing, testing::ValuesIn(kRoutes),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Routing, RepliesTakeReplyRoute) {
    Script script(
        "request_route { log(\"request\"); } reply_route { if (status =~ \"40.\") log(\"$rs $rr $rm $mt\"); }");
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(reply()).line(), "404 Not Found INVITE 2");
    EXPECT_EQ(script.send(request()).line(), "request");
}

TEST(Routing, ARepliesRouteIsNotNeeded) {
    Script script("request_route { log(\"request\"); }");
    ASSERT_NE(script.program, nullptr);
    EXPECT_TRUE(script.send(reply()).lines.empty());
}

TEST(Steps, EndWhatWouldKeepAWorkerForHours) {
    params::max_while_loops.set(100);
    Script loops(
        "request_route { $var(n) = 0; while (1) { while (1) { while (1) { while (1) { $var(n) = $var(n) + 1; } } } } "
        "}\n"
        "reply_route { log(\"$var(n)\"); }");
    ASSERT_NE(loops.program, nullptr) << loops.found.text();
    loops.send(request());
    const int64_t rounds = std::stoll("0" + loops.send(reply()).line());
    EXPECT_GT(rounds, 100'000);
    EXPECT_LE(rounds, script::params::max_script_steps.get());
    Script doubling(
        "request_route { $var(n) = 0; route(A); }\nroute[A] { $var(n) = $var(n) + 1; route(A); route(A); }\n"
        "reply_route { log(\"$var(n)\"); }");
    ASSERT_NE(doubling.program, nullptr) << doubling.found.text();
    doubling.send(request());
    EXPECT_LE(std::stoll("0" + doubling.send(reply()).line()), script::params::max_script_steps.get());
}

TEST(EventRoutes, RunWhenAModuleSaysSo) {
    Script script(
        "request_route { exit; }\nevent_route[test:event] { log(\"$rm $ci\"); drop; }\n"
        "event_route[sl:filtered-ack] { log(\"ack $rm\"); }");
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_FALSE(run_event_route("test:event"));  // not installed yet
    script.program->install();
    EXPECT_TRUE(has_event_route("test:event"));
    EXPECT_FALSE(has_event_route("test:other"));
    g_outcome = {};
    bool dropped = false;
    EXPECT_TRUE(run_event_route("test:event", &dropped));
    EXPECT_TRUE(dropped);
    EXPECT_EQ(g_outcome.line(), "OPTIONS event@127.0.0.1");
    EXPECT_FALSE(run_event_route("test:other"));
}

// What a route does may be an event again: the inner route must not take the outer one's message apart.
int fire(Run&, const Args&) { return run_event_route("test:event") ? 1 : -1; }
constexpr Function kFire[] = {{"fire", 0, 0, "()", "For the test.", kAnyRoute, fire}};
const ModuleDescriptor kFires{.name = "fires", .summary = "s", .functions = kFire};

TEST(EventRoutes, RunInsideEachOther) {
    Script script(
        "request_route { exit; }\n"
        "event_route[test:event] { $var(depth) = $var(depth) + 1; $avp(mine) = $var(depth); fire(); "
        "log(\"$avp(mine)\"); }",
        {&kFires});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    script.program->install();
    g_outcome = {};
    for (int round = 0; round < 2; ++round) EXPECT_TRUE(run_event_route("test:event"));
    const std::vector<std::string> expected = {"4", "3", "2", "1", "8", "7", "6", "5"};  // 4 deep at the most
    EXPECT_EQ(g_outcome.lines, expected);
}

// Modules remember by the id what they found out about a message.
TEST(Runs, OfDifferentMessagesHaveDifferentIds) {
    const std::string text = request();
    sip::Message message;
    sip::Bad bad;
    ASSERT_TRUE(message.parse(text, bad));
    const net::Inbound inbound = from();
    script::Run a, b;
    std::vector<uint64_t> seen;
    for (script::Run* each : {&a, &b, &a, &b}) {
        each->begin(message, inbound, kRequestRoute);
        EXPECT_EQ(std::count(seen.begin(), seen.end(), each->id()), 0);
        seen.push_back(each->id());
    }
    EXPECT_EQ(a.number(), 2U);
}

// Each Run has its own: an event route that changes its message leaves that of the route around it alone.
TEST(Runs, ReplaceTheirOwnMessageOnly) {
    const std::string first = request(), second = request("INFO"), third = request("BYE");
    sip::Message message;
    sip::Bad bad;
    ASSERT_TRUE(message.parse(first, bad));
    const net::Inbound inbound = from();
    script::Run outer, inner;
    outer.begin(message, inbound, kRequestRoute);
    inner.begin(message, inbound, kEventRoute);
    ASSERT_TRUE(outer.replace_message(second, bad));
    ASSERT_TRUE(inner.replace_message(third, bad));
    EXPECT_EQ(outer.message().method_name(), "INFO");
    EXPECT_FALSE(outer.replace_message("hello", bad));
    EXPECT_EQ(outer.message().method_name(), "INFO");
    EXPECT_EQ(message.method_name(), "OPTIONS");
}

TEST(EventRoutes, SeeAcksToOurStatelessReplies) {
    Script script("request_route { exit; }\nevent_route[sl:filtered-ack] { log(\"ack of $fU\"); }");
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const std::string invite = request("INVITE");
    sip::Message message;
    sip::Bad bad;
    ASSERT_TRUE(message.parse(invite, bad));
    char tag[kStatelessTagBytes];
    std::string ack = request("ACK");
    const std::string to = "To: <sip:bob@example.com>";
    ack.insert(ack.find(to) + to.size(), ";tag=" + std::string(stateless_tag(message, tag)));
    EXPECT_EQ(script.send(ack).line(), "ack of alice");
    EXPECT_EQ(script.send(request("ACK")).line(), "");
}

}  // namespace
}  // namespace kahu::script::test
