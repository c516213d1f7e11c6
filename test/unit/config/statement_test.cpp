// Statements and expressions: what is read, printed again. Whatever is printed must read as itself.
#include <gtest/gtest.h>

#include "test/unit/config/parsing.h"

namespace kahu::config {
namespace {

struct Case {
    std::string_view input, printed;
};

constexpr Case kExpressions[] = {
    {"1", "1"},
    {"0x1F", "31"},
    {"017", "15"},
    {"101b", "5"},
    {"0b", "0"},
    {"1b + 10b", "(1 + 2)"},
    {"-5", "-5"},
    {"\"a\"", "\"a\""},
    {"'a\\n'", "\"a\\\\n\""},
    {"\"/(a)/\\1b/\"", "\"/(a)/\\\\1b/\""},
    {"\"a\\n\\t\\x41\\101\\\\\\\"\"", "\"a\\n\\tAA\\\\\\\"\""},
    {"\"^\\+1\"", "\"^\\\\+1\""},
    {"\"a\" \"b\"  'c'", "\"abc\""},
    {"$ru", "$ru"},
    {"$var(x)", "$var(x)"},
    {"$?", "$?"},
    {"$(hdr(X)[0]{s.len})", "$(hdr(X)[0]{s.len})"},
    {"$(ru{uri.user}{s.substr,0,(3)})", "$(ru{uri.user}{s.substr,0,(3)})"},
    {"$sht(a=>$var(b)::$si)", "$sht(a=>$var(b)::$si)"},
    {"$xavp(a[0]=>b[1])", "$xavp(a[0]=>b[1])"},
    {"$f.name", "$f.name"},
    {"@cfg_get.pstn.gw_ip", "@cfg_get.pstn.gw_ip"},
    {"@via[1].host", "@via[1].host"},
    {"@from.uri == \"x\"", "(@from.uri == \"x\")"},
    {"1 + 2 * 3", "(1 + (2 * 3))"},
    {"1 - 2 - 3", "((1 - 2) - 3)"},
    {"(1 + 2) * 3", "((1 + 2) * 3)"},
    {"7 % 4 mod 2", "((7 mod 4) mod 2)"},
    {"1 << 2 + 1", "(1 << (2 + 1))"},
    {"1 | 2 & 4 ^ 8", "(1 | (2 & (4 ^ 8)))"},
    {"~1 & 3", "(~1 & 3)"},
    {"!$var(x) == 1", "(!$var(x) == 1)"},
    {"not f() and g() or h()", "((!f() && g()) || h())"},
    {"$ru eq \"a\" || $ru ne \"b\"", "(($ru eq \"a\") || ($ru ne \"b\"))"},
    {"$ru streq \"a\" && $ru strne \"b\"", "(($ru eq \"a\") && ($ru ne \"b\"))"},
    {"$var(x) ieq 1 && $var(x) ine 2", "(($var(x) ieq 1) && ($var(x) ine 2))"},
    {"1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "((((1 < 2) && (2 <= 2)) && (3 > 2)) && (3 >= 3))"},
    {"$ua =~ \"x|y\"", "($ua =~ \"x|y\")"},
    {"$ua !~ \"x\"", "($ua !~ \"x\")"},
    {"(int)$ru + (str)5", "((int)$ru + (str)5)"},
    {"defined $var(x) && strempty($ru)", "(defined $var(x) && strempty($ru))"},
    {"strlen($ru + \"x\") > 3", "(strlen(($ru + \"x\")) > 3)"},
    {"method == \"INVITE\"", "(method == \"INVITE\")"},
    {"uri == myself", "(uri == myself)"},
    {"from_uri != myself && to_uri == myself", "((from_uri != myself) && (to_uri == myself))"},
    {"src_ip == 10.0.0.0/8", "(src_ip == 10.0.0.0/8)"},
    {"src_ip == 10.0.0.0/255.0.0.0", "(src_ip == 10.0.0.0/255.0.0.0)"},
    {"src_ip == ::1", "(src_ip == [::1])"},
    {"dst_ip == [2001:db8::]/32", "(dst_ip == [2001:db8::]/32)"},
    {"src_ip == sip", "(src_ip == sip)"},
    {"src_port == 5060 || dst_port != 5061", "((src_port == 5060) || (dst_port != 5061))"},
    {"proto == TLS && af == INET6", "((proto == TLS) && (af == INET6))"},
    {"msg:len > max_len", "(msg:len > max_len)"},
    {"status =~ \"4..\" && retcode < 0", "((status =~ \"4..\") && (retcode < 0))"},
    {"snd_ip == 10.0.0.1 && to_port == 5060", "((snd_ip == 10.0.0.1) && (to_port == 5060))"},
    {"f()", "f()"},
    {"f(\"a\", 1, $ru)", "f(\"a\", 1, $ru)"},
    {"f(,\"a\")", "f(\"\", \"a\")"},
    {"f(\"a\",,)", "f(\"a\", \"\", \"\")"},
    {"f(g(h(1)))", "f(g(h(1)))"},
    {"is_method(\"INVITE\") == yes", "(is_method(\"INVITE\") == 1)"},
    {"route(CHECK) && route(\"A\" + $rU)", "(route(CHECK) && route((\"A\" + $rU)))"},
    {"forward(10.0.0.1:5060)", "forward(10.0.0.1:5060)"},
    {"forward(10.0.0.1, 5060)", "forward(10.0.0.1, 5060)"},
    {"forward(uri:host, uri:port)", "forward(uri:host, uri:port)"},
    {"forward(\"10.0.0.1\")", "forward(\"10.0.0.1\")"},
    {"forward()", "forward()"},
    {"send(\"a.example.com\":5060)", "send(a.example.com:5060)"},
    {"force_send_socket(udp:10.0.0.1:5060)", "force_send_socket(udp:10.0.0.1:5060)"},
    {"force_send_socket(tls:[::1]:5061)", "force_send_socket(tls:[::1]:5061)"},
    {"set_advertised_address($var(x))", "set_advertised_address($var(x))"},
};

constexpr Case kStatements[] = {
    {"", ""},
    {";;", ""},
    {"exit;", "exit;\n"},
    {"exit();", "exit;\n"},
    {"exit(1);", "exit 1;\n"},
    {"drop; drop(); drop(-1);", "drop;\ndrop;\ndrop -1;\n"},
    {"return; return(); return(-1); return -1;", "return;\nreturn;\nreturn -1;\nreturn -1;\n"},
    {"return (1) + 2;", "return (1 + 2);\n"},
    {"break;", "break;\n"},
    {"force_rport;", "force_rport;\n"},
    {"force_rport();", "force_rport();\n"},
    {"route(A);", "route(A);\n"},
    {"route(\"A\");", "route(\"A\");\n"},
    {"route(1);", "route(1);\n"},
    {"$var(x) = 1;", "$var(x) = 1;\n"},
    {"$var(x) += 1;", "$var(x) += 1;\n"},
    {"$(avp(x)[*]) = $null;", "$(avp(x)[*]) = $null;\n"},
    {"$ru = \"sip:\" + $rU + \"@\" + $rd;", "$ru = (((\"sip:\" + $rU) + \"@\") + $rd);\n"},
    {"$sht(ipban=>$si) = 1;", "$sht(ipban=>$si) = 1;\n"},
    {"$var(x) = no; $var(x) = on;", "$var(x) = 0;\n$var(x) = 1;\n"},
    {"if (a()) b();", "if (a()) {\n    b();\n}\n"},
    {"if a() && b() { c(); };", "if (a() && b()) {\n    c();\n}\n"},
    {"if (1) ;", "if (1) {\n}\n"},
    {"if (a()) b(); else c();", "if (a()) {\n    b();\n} else {\n    c();\n}\n"},
    {"if (a()) if (b()) c(); else d();",
     "if (a()) {\n    if (b()) {\n        c();\n    } else {\n        d();\n    }\n}\n"},
    {"if (a()) { b(); } else if (c()) { d(); } else { e(); }",
     "if (a()) {\n    b();\n} else {\n    if (c()) {\n        d();\n    } else {\n        e();\n    }\n}\n"},
    {"while ($var(i) < 3) { $var(i) += 1; }", "while ($var(i) < 3) {\n    $var(i) += 1;\n}\n"},
    {"while (1) break;", "while (1) {\n    break;\n}\n"},
    {"{ a(); { b(); } }", "{\n    a();\n    {\n        b();\n    }\n}\n"},
    {"switch ($rc) { case -1: case -3: a(); exit; case 2: b(); break; default: c(); }",
     "switch ($rc) {\ncase -1:\ncase -3:\n    a();\n    exit;\ncase 2:\n    b();\n    break;\ndefault:\n    c();\n}\n"},
    {"switch ($rU) { case \"a\" \"b\": a(); case /^1\\/[0-9]+$/i: b(); }",
     "switch ($rU) {\ncase \"ab\":\n    a();\ncase /^1\\/[0-9]+$/i:\n    b();\n}\n"},
    {"switch ($rU) { }", "switch ($rU) {\n}\n"},
    {"# comment\n/* a\n b */ a(); // c\n", "a();\n"},
    {"setflag(FLT_ACC);", "setflag(FLT_ACC);\n"},
    {"append_hf(\"P-Hint: outbound\\r\\n\");", "append_hf(\"P-Hint: outbound\\r\\n\");\n"},
};

TEST(Expressions, AreReadAsTheyBind) {
    for (const Case& c : kExpressions) EXPECT_EQ(expression(c.input), c.printed) << c.input;
}

TEST(Expressions, PrintedOnesReadAsThemselves) {
    for (const Case& c : kExpressions) EXPECT_EQ(expression(c.printed), c.printed);
}

TEST(Statements, AreRead) {
    for (const Case& c : kStatements) EXPECT_EQ(statements(c.input), c.printed) << c.input;
}

TEST(Statements, PrintedOnesReadAsThemselves) {
    for (const Case& c : kStatements) EXPECT_EQ(statements(c.printed), c.printed);
}

TEST(Locations, AreThoseOfTheFirstToken) {
    const Parsed got = parsed("request_route {\n  if ($var(x) ==\n     f(1)) {\n    exit;\n  }\n}\n");
    ASSERT_TRUE(got.ast) << got.said;
    const Statement& statement = got.ast->routes.at(0).body.at(0);
    EXPECT_EQ(statement.at, (Location{0, 2, 3}));
    const auto& branch = std::get<If>(statement.node);
    EXPECT_EQ(branch.condition->at, (Location{0, 2, 15}));  // the operator
    EXPECT_EQ(std::get<Binary>(branch.condition->node).right->at, (Location{0, 3, 6}));
    EXPECT_EQ(branch.then_block.at(0).at, (Location{0, 4, 5}));
}

TEST(Locations, OfADefineAreWhereItIsUsed) {
    const Parsed got = parsed("#!define CALL f(1) + g(2)\nrequest_route {\n   $x = CALL;\n}\n");
    ASSERT_TRUE(got.ast) << got.said;
    const auto& assignment = std::get<Assignment>(got.ast->routes.at(0).body.at(0).node);
    EXPECT_EQ(std::get<Binary>(assignment.value->node).right->at, (Location{0, 3, 9}));
}

}  // namespace
}  // namespace kahu::config
