// Mistakes: the whole text a user reads, for each kind; and that one run lists several.
#include <gtest/gtest.h>

#include "test/unit/config/parsing.h"

namespace kahu::config {
namespace {

struct Case {
    std::string_view input, said;
};

constexpr Case kErrors[] = {
    {"loadmodul \"tm.so\"\n", "t.cfg:1:1: unknown statement 'loadmodul' — did you mean 'loadmodule'?"},
    {"quux bar\n", "t.cfg:1:1: unknown statement 'quux' — a parameter is set by 'quux = value'"},
    {"debug=\nport=1\n", "t.cfg:1:7: the value of 'debug' is missing"},
    {"debug=(\n", "t.cfg:1:7: unexpected '('"},
    {"modparam(\"a\", \"b\" 1)\n",
     "t.cfg:1:19: unexpected '1', expected ',' — modparam(\"module\", \"parameter\", value)"},
    {"modparam(\"a\", \"b\", 1\nport=1\n", "t.cfg:1:21: ')' is missing behind '1'"},
    {"loadmodule tm.so\n", "t.cfg:1:12: unexpected 'tm', expected a string or '('"},
    {"listen=upd:127.0.0.1:5060\n", "t.cfg:1:8: unknown transport 'upd' — did you mean 'udp'?"},
    {"listen=udp:127.0.0.1:x\n", "t.cfg:1:8: 'x' is no port — a port is a number from 1 to 65535"},
    {"listen=udp:1.1.1.1 advertise udp:2.2.2.2\n",
     "t.cfg:1:30: 'udp:2.2.2.2' cannot be advertised — advertise host[:port]"},
    {"socket={ bin=udp:1.1.1.1; bind=udp:1.1.1.1; }\n",
     "t.cfg:1:10: unknown socket attribute 'bin' — did you mean 'bind'?"},
    {"socket={ workers=2; }\n", "t.cfg:1:1: a socket without bind — socket = { bind = udp:10.0.0.1:5060; }"},
    {"socket={ bind=udp:1.1.1.1; workers=-1; }\n", "t.cfg:1:36: workers = -1 is not valid — a number from 0 to 1024"},
    {"flags A:32\n", "t.cfg:1:7: flag A has number 32 — flags are numbered from 0 to 31"},
    {"cfgengine \"lua\"\n", "t.cfg:1:11: there is no engine 'lua' — \"native\": routes are written in this language"},
    {"flags A, A\n", "t.cfg:1:10: flag A is declared twice"},
    {"x=99999999999999999999\n", "t.cfg:1:3: the number 99999999999999999999 is too large, or not octal"},
    {"x=\"abc\n", "t.cfg:1:3: this string is not closed — '\"' is missing"},
    {"x='abc\n", "t.cfg:1:3: this string is not closed — \"'\" is missing"},
    {"x=1 /* abc\n", "t.cfg:1:5: this comment is not closed — '*/' is missing"},
    {"x=1 \x01\n", "t.cfg:1:5: '\\x01' does not belong here"},
    {"}\n", "t.cfg:1:1: this '}' closes nothing — there are more '}' than '{'"},
    {"event_route { }\n", "t.cfg:1:1: event_route without a name — event_route[tm:local-request]"},
    {"failure_route { }\n", "t.cfg:1:1: failure_route without a name — failure_route[NAME]"},
    {"route[A] {}\nroute[A] {}\n", "t.cfg:2:1: route[A] is defined twice — the other one is at t.cfg:1:1"},
    {"route {}\nrequest_route {}\n", "t.cfg:2:1: request_route is defined twice — the other one is at t.cfg:1:1"},
    {"route[A {}\n", "t.cfg:1:6: this '[' is not closed — route[NAME] { ... }"},
    {"request_route {\n exit;\n",
     "t.cfg:3:1: the file ends inside of request_route, which begins at t.cfg:1:1 — '}' is missing"},
    {"request_route {\n if (1) {\n exit;\n}\nroute[A] { exit; }\n",
     "t.cfg:5:1: route begins inside of request_route, which begins at t.cfg:1:1 — '}' is missing before it"},
    {"route {\n if ($x = 1) exit;\n}\n", "t.cfg:2:9: '=' assigns and is no comparison — equality is tested by '=='"},
    {"route {\n f()\n exit;\n}\n", "t.cfg:2:5: ';' is missing behind ')'"},
    {"route {\n exit }\n", "t.cfg:2:6: ';' is missing behind 'exit'"},
    {"route {\n els { exit; }\n}\n", "t.cfg:2:2: unknown statement 'els' — did you mean 'else'?"},
    {"route {\n whille (1) { exit; }\n}\n", "t.cfg:2:13: unexpected '{', expected ';' — did you mean 'while'?"},
    {"route {\n foo = 1;\n}\n",
     "t.cfg:2:2: unknown statement 'foo' — only variables can be assigned to: $var(name), $avp(name), $ru, ..."},
    {"route {\n if (uri==myself { exit; }\n}\n", "t.cfg:2:18: ')' is missing before '{'"},
    {"route {\n f(1, 2;\n}\n", "t.cfg:2:8: ')' is missing before ';'"},
    {"route {\n switch (1) { foo; }\n}\n", "t.cfg:2:15: unexpected 'foo', expected 'case', 'default' or '}'"},
    {"route {\n switch (1) { case $x: exit; }\n}\n",
     "t.cfg:2:20: a case is a number, a string or a regular expression — case 1: ... case \"text\": ... case /regex/:"},
    {"route {\n switch (1) { case /a: exit; }\n}\n",
     "t.cfg:2:20: this regular expression is not closed — '/' is missing"},
    {"route {\n switch (1) { default: exit; default: exit; }\n}\n", "t.cfg:2:30: a second 'default' in one switch"},
    {"route {\n $var(x = 1;\n}\n", "t.cfg:2:2: this variable is not closed — ')' is missing"},
    {"route {\n f($);\n}\n", "t.cfg:2:4: '$' without the name of a variable"},
    {"route {\n f(@);\n}\n", "t.cfg:2:4: '@' without the name of a select"},
    {"#!define A 1\n#!define A 2\n",
     "t.cfg:2:1: A is already defined at t.cfg:1:1 — #!redefine replaces the value, #!trydef keeps the first"},
    {"#!define\n", "t.cfg:1:1: #!define is not followed by a name"},
    {"#!endif\n", "t.cfg:1:1: #!endif without #!ifdef"},
    {"#!else\n", "t.cfg:1:1: #!else without #!ifdef"},
    {"x=1\n#!ifdef A\n", "t.cfg:2:1: this #!ifdef is not closed in its file — #!endif is missing"},
    {"#!ifndef A\n#!else\n#!else\n#!endif\n", "t.cfg:3:1: a second #!else — the block began at t.cfg:1:1"},
    {"#!ifexp 1 +\n#!endif\n",
     "t.cfg:1:1: #!ifexp: a number, a string or a name is expected — only numbers, strings, defines and operators"},
    {"#!ifexp 1/0\n#!endif\n", "t.cfg:1:1: #!ifexp: division by zero — only numbers, strings, defines and operators"},
    {"x=1 #!define A\n", "t.cfg:1:5: #!define is not the first on its line"},
    {"#!defenv KAHU_TEST_NOT_SET\n",
     "t.cfg:1:1: the environment variable KAHU_TEST_NOT_SET is not set — #!trydefenv does without it"},
    {"#!subst \"/(/x/\"\n",
     "t.cfg:1:1: #!subst: the pattern '(' is not valid at offset 1: missing closing parenthesis"},
    {"#!subst \"abc\"\n",
     "t.cfg:1:1: #!subst: a substitution is written \"/pattern/replacement/flags\" — flags: i, g, s"},
    {"include_file \"no-such.cfg\"\n",
     "t.cfg:1:14: no-such.cfg could not be read: No such file or directory — import_file skips a file that is not "
     "there"},
    {"#!subst abc\n", "t.cfg:1:1: #!subst is not followed by a string — \"/pattern/replacement/g\""},
    {"include_file 5\n", "t.cfg:1:1: include_file is not followed by a file name — include_file \"local.cfg\""},
    {"#!defin A\n", "t.cfg:1:1: warning: '#!defin' is no directive and read as a comment — did you mean '#!define'?"},
    {"#!define V 1 2\nx=V\n", "t.cfg:2:3: unexpected '2'"},
};

TEST(Errors, NamePlaceAndRemedy) {
    for (const Case& c : kErrors) EXPECT_EQ(parsed(c.input).said, std::string(c.said) + '\n') << c.input;
}

TEST(Errors, OfOneFileAreListedTogether) {
    const Parsed got = parsed(
        "loadmodul \"a\"\n"
        "debug=3\n"
        "modparam(\"a\", 1, 2)\n"
        "request_route {\n"
        "  if ($x = 1) { exit; } else { drop; }\n"
        "  f(1 2);\n"
        "  while (1 { f(); { g(); } }\n"
        "  switch (1) { what; case 1: exit; }\n"
        "  exit\n"
        "}\n"
        "route[B] { f(; }\n"
        "listen=a:b:c:d\n");
    EXPECT_EQ(got.said,
              "t.cfg:1:1: unknown statement 'loadmodul' — did you mean 'loadmodule'?\n"
              "t.cfg:3:15: unexpected '1', expected a string — modparam(\"module\", \"parameter\", value)\n"
              "t.cfg:5:10: '=' assigns and is no comparison — equality is tested by '=='\n"
              "t.cfg:6:7: unexpected '2'\n"
              "t.cfg:7:12: ')' is missing before '{'\n"
              "t.cfg:8:16: unexpected 'what', expected 'case', 'default' or '}'\n"
              "t.cfg:9:7: ';' is missing behind 'exit'\n"
              "t.cfg:11:14: ')' is missing before ';'\n"
              "t.cfg:12:8: unknown transport 'a' — udp, tcp or tls\n");
}

TEST(Errors, AreBounded) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "foo bar\n";
    Diagnostics diagnostics;
    EXPECT_FALSE(parse_text(text, "t.cfg", {}, diagnostics));
    EXPECT_EQ(diagnostics.all().size(), Diagnostics::kMaxErrors);
}

TEST(Limits, HoldForHostileFiles) {
    const auto many = [](std::string_view piece, size_t count) {
        std::string out;
        for (size_t i = 0; i < count; ++i) out += piece;
        return out;
    };
    const std::string hostile[] = {
        "route { f(" + many("(", 200000) + "); }",
        "route { $x = " + many("!", 200000) + "1; }",
        "route { $x = 1" + many("+1", 15000) + "; }",
        "route { " + many("{", 100000),
        "route { " + many("if (1) ", 200000) + "exit; }",
        "route { " + many("if (1) exit; else ", 100000) + "exit; }",
        "x=" + many("\"", 200001),
        many("#!ifdef A\n", 10000),
        many("#!ifndef A\n", 10000),
        many("route[A] {", 1000),
        "route { $x = $(" + many("(", 100000),
        many("$(", 100000),
        "alias=" + many("a ", 200000),
        "#!define A B B\n#!define B C C\n#!define C D D\n#!define D E E\n#!define E F F\n#!define F G G\n#!define G H "
        "H\nx=" +
            many("A ", 2000),
    };
    for (const std::string& text : hostile) {
        ParseOptions options;
        options.max_total_bytes = 4 << 20;
        Diagnostics diagnostics;
        EXPECT_FALSE(parse_text(text, "t.cfg", options, diagnostics)) << text.substr(0, 40);
    }
    const std::string doubled = [] {  // 2 to the power of 60 words
        std::string out;
        for (int i = 0; i < 60; ++i)
            out +=
                "#!define D" + std::to_string(i) + " D" + std::to_string(i + 1) + " D" + std::to_string(i + 1) + "\n";
        return out + "x=D0\n";
    }();
    ParseOptions options;
    options.max_total_bytes = 1 << 20;
    Diagnostics diagnostics;
    EXPECT_FALSE(parse_text(doubled, "t.cfg", options, diagnostics));
}

}  // namespace
}  // namespace kahu::config
