// test/unit/script/diagnostics_test.cpp -- every mistake is named with its place and, where there is one, its remedy.
#include <algorithm>

#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

int do_nothing(Run&, const Args&) { return 1; }
constexpr Function kOtherFunctions[] = {
    {"is_peer_verified", 0, 0, "()", "For the test.", kRequestRoute, do_nothing},
};
constexpr Variable kOtherVariables[] = {{"tls_version", "For the test."}};
const ModuleDescriptor kOther{
    .name = "tls", .summary = "s", .functions = kOtherFunctions, .variables = kOtherVariables};

struct Case {
    const char* name;
    const char* config;
    const char* said;  // is part of the diagnostics
};
constexpr Case kCases[] = {
    {"nearest_function", "request_route {\n  setflaag(1);\n}",
     "test.cfg:2:3: unknown function setflaag() — did you mean setflag()?"},
    {"module_to_load", "request_route { if (is_peer_verified()) exit; }",
     "function is_peer_verified() is provided by module tls — add loadmodule \"tls.so\""},
    {"variable_to_load", "request_route { if ($tls_version == 1) exit; }",
     "variable $tls_version is provided by module tls — add loadmodule \"tls.so\""},
    {"not_yet", "request_route { t_relay(); }", "function t_relay() of module tm is not supported yet"},
    {"not_yet_core", "request_route { selval(); }", "function selval() of the core is not supported yet"},
    {"nearest_variable", "request_route { if ($retcod == 1) exit; }",
     "unknown variable $retcod — did you mean $retcode?"},
    {"variable_not_yet", "request_route { $sht(a=>b) = 1; }", "variable $sht of module htable is not supported yet"},
    {"select", "request_route { log(@from.uri.usr); }", "unknown select @from.uri.usr — did you mean @from.uri.user?"},
    {"select_setting", "request_route { log(@cfg_get.pstn.gw); }", "there is no setting pstn.gw"},
    {"select_of_module", "request_route { if (@tls.version == \"x\") exit; }",
     "@tls.version: variable $tls_version is provided by module tls"},
    {"xavp_path", "request_route { $xavp(=>a) = 1; }", "is not what $xavp takes"},
    {"branch_part", "request_route { log(\"$branch(ury)\"); }", "is no part of a branch"},
    {"variable_in_text", "request_route { log(\"a $nosuchthing b\"); }",
     "log(), argument 1: unknown variable $nosuchthing"},
    {"unclosed_variable", "request_route { log(\"a $(ru b\"); }", "is not closed"},
    {"lonely_dollar", "request_route { log(\"5 $ each\"); }", "write \"$$\" for a dollar sign"},
    {"transformation", "request_route { log(\"$(ru{s.lenn})\"); }",
     "unknown transformation {s.lenn} — did you mean {s.len}?"},
    {"transformation_not_yet", "request_route { log(\"$(ru{sql.val})\"); }",
     "transformation {sql.val} is not supported yet"},
    {"transformation_args", "request_route { log(\"$(ru{s.substr,1})\"); }",
     "transformation {s.substr} does not take 1 argument(s) — {s.substr,offset,length}"},
    {"argument_count", "request_route { setflag(); }", "setflag() takes 1 argument, 0 given — setflag(int flag)"},
    {"argument_value", "request_route { setflag(32); }", "setflag(): there is no flag 32 — 0 to 31"},
    {"unknown_route", "request_route { route(RELAi); } route[RELAY] { exit; }",
     "there is no route[RELAi] — did you mean route(RELAY)?"},
    {"route_twice", "request_route { exit; } route[A] { exit; } route[A] { exit; }", "[A] is defined twice"},
    {"no_request_route", "route[A] { exit; }", "there is no request_route"},
    {"wrong_route", "request_route { exit; } reply_route { force_rport(); }",
     "force_rport() cannot be called in reply_route"},
    {"read_only", "request_route { $si = \"1\"; }", "$si is read-only"},
    {"assign_transformed", "request_route { $(ru{s.len}) = 1; }", "a transformed variable cannot be assigned to"},
    {"bad_regex", "request_route { if ($ru =~ \"(\") exit; }", "regular expression \"(\""},
    {"unknown_word", "request_route { if (proto == FOO) exit; }", "unknown word FOO"},
    {"address_name", "request_route { if (src_ip == \"10.0.0\") exit; }", "src_ip cannot be compared to"},
    {"address_mask", "request_route { if (src_ip == \"10.0.0.0/33\") exit; }",
     "src_ip cannot be compared to \"10.0.0.0/33\""},
    {"method_myself", "request_route { if (method == myself) exit; }", "method cannot be compared to myself"},
    {"header_name", "request_route { if ($hdr() == 1) exit; }", "$hdr needs a header's name"},
    {"index", "request_route { if ($(hdr(Via)[x]) == 1) exit; }", "\"x\" is not an index"},
    {"statement_for_function", "request_route { retrun; }", "did you mean return?"},
    {"myself_misspelt", "request_route { if (uri == myslf) exit; }", "did you mean myself?"},
    {"onsend_operand", "request_route { if (snd_ip == \"10.0.0\") exit; }", "snd_ip cannot be compared to"},
};

class Mistakes : public testing::TestWithParam<Case> {};
TEST_P(Mistakes, AreNamed) {
    Script script(GetParam().config, {}, {&kOther});
    EXPECT_EQ(script.program, nullptr);
    EXPECT_NE(script.found.text().find(GetParam().said), std::string::npos) << script.found.text();
}
// Whatever is wrong, the message says where.
TEST_P(Mistakes, HaveAPlace) {
    Script script(GetParam().config, {}, {&kOther});
    for (const auto& diagnostic : script.found.all())
        EXPECT_TRUE(diagnostic.at.line > 0 || diagnostic.message == "there is no request_route") << diagnostic.message;
}
INSTANTIATE_TEST_SUITE_P(Compiler, Mistakes, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Compiler, ListsAllMistakesAtOnce) {
    Script script("request_route {\n  t_relay();\n  if ($nope) exit;\n  route(X);\n  setflag(99);\n}\n");
    EXPECT_EQ(script.found.errors(), 4u) << script.found.text();
}

TEST(Compiler, RunsFunctionsOfLoadedModules) {
    Script script("request_route { if (is_peer_verified()) log(\"verified\"); }", {&kOther});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "verified");
}

TEST(Compiler, AFunctionReachedFromTheWrongRouteIsFalse) {
    Script script(
        "request_route { route(A); } reply_route { route(A); } "
        "route[A] { if (is_peer_verified()) log(\"yes\"); else log(\"no\"); }",
        {&kOther});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "yes");
    EXPECT_EQ(script.send(reply()).line(), "no");
}

TEST(LogPrefix, IsPutBeforeEachLine) {
    ASSERT_TRUE(params::log_prefix.set("{$mt $hdr(CSeq) $ci} "));
    Script script("request_route { log(\"text\\n\"); }");
    ASSERT_TRUE(params::log_prefix.set(""));
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "{1 7 OPTIONS abc@10.1.2.3} text");
}

TEST(LogPrefix, WithAMistakeIsReported) {
    ASSERT_TRUE(params::log_prefix.set("$nope "));
    Script script("request_route { exit; }");
    ASSERT_TRUE(params::log_prefix.set(""));
    EXPECT_EQ(script.program, nullptr);
    EXPECT_NE(script.found.text().find("log_prefix: unknown variable $nope"), std::string::npos) << script.found.text();
}

}  // namespace
}  // namespace kahu::script::test
