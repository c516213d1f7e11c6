// What stands outside of routes, and the preprocessor.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/config/socket_text.h"
#include "test/unit/config/parsing.h"

namespace kahu::config {
namespace {

struct Case {
    std::string_view input, printed;
};

constexpr Case kTop[] = {
    {"debug=2\n", "debug = 2\n"},
    {"debug = -1; children=0x10\n", "debug = -1\nchildren = 16\n"},
    {"log_stderror=no\nfork=YES\na=on\nb=off\nc=enabled\nd=disabled\ne=true\nf=false\n",
     "log_stderror = 0\nfork = 1\na = 1\nb = 0\nc = 1\nd = 0\ne = 1\nf = 0\n"},
    {"log_facility=LOG_LOCAL0\nuser=\"ka\" 'hu'\n", "log_facility = \"LOG_LOCAL0\"\nuser = \"kahu\"\n"},
    {"advertised_address=10.0.0.1\nx=sip.example.com\ny=a-b:5\n",
     "advertised_address = \"10.0.0.1\"\nx = \"sip.example.com\"\ny = \"a-b:5\"\n"},
    {"name = \"x\"\nvirtual=1\nflags=3\n", "name = \"x\"\nvirtual = 1\nflags = 3\n"},
    {"pstn.gw_ip = \"\" desc \"PSTN GW Address\"\n", "pstn.gw_ip = \"\" desc \"PSTN GW Address\"\n"},
    {"a.b = -5 description \"x\"\na.on = yes\na[2].b = 7\n", "a.b = -5 desc \"x\"\na.on = 1\na[2].b = 7\n"},
    {"listen=udp:127.0.0.1:5060\n", "socket = { bind = udp:127.0.0.1:5060; }\n"},
    {"listen = udp : 127.0.0.1 : 5060\n", "socket = { bind = udp:127.0.0.1:5060; }\n"},
    {"listen=10.0.0.1\nlisten=eth0\nlisten=tcp:br-12ab:5070\n",
     "socket = { bind = 10.0.0.1; }\nsocket = { bind = eth0; }\nsocket = { bind = tcp:br-12ab:5070; }\n"},
    {"listen=[::1]:5060\nlisten=tls:[::1]\nlisten=::1\nlisten=TLS:[2001:db8::1]:5061\n",
     "socket = { bind = [::1]:5060; }\nsocket = { bind = tls:[::1]; }\nsocket = { bind = [::1]; }\n"
     "socket = { bind = tls:[2001:db8::1]:5061; }\n"},
    {"listen=udp:\"127.0.0.1\":5060\nlisten=udp:*:5060\nlisten=sctp:(10.0.0.1, 10.0.0.2):5060\n",
     "socket = { bind = udp:127.0.0.1:5060; }\nsocket = { bind = udp:*:5060; }\n"
     "socket = { bind = sctp:(10.0.0.1, 10.0.0.2):5060; }\n"},
    {"listen=tls:127.0.0.1:5061 advertise 1.2.3.4:5061\n",
     "socket = { bind = tls:127.0.0.1:5061; advertise = 1.2.3.4:5061; }\n"},
    {"listen=tls:127.0.0.1:5061 name \"s1\" advertise \"sip.example.com\":5061 virtual\nport=3\n",
     "port = 3\nsocket = { bind = tls:127.0.0.1:5061; advertise = sip.example.com:5061; name = \"s1\"; virtual = yes; "
     "}\n"},
    {"listen=tcp:eth0 agname \"g\"\nvirtual=1\n", "virtual = 1\nsocket = { bind = tcp:eth0; agname = \"g\"; }\n"},
    {"socket={ bind=udp:127.0.0.1:5060; advertise=a.example.com:5; name=\"x\"; workers=2; virtual=yes; }\n",
     "socket = { bind = udp:127.0.0.1:5060; advertise = a.example.com:5; name = \"x\"; workers = 2; virtual = yes; "
     "}\n"},
    {"alias=Sip.Example.com\nalias=\"b.example.com\" alias=udp:c-d.example.com:5070\n",
     "alias = sip.example.com\nalias = b.example.com\nalias = udp:c-d.example.com:5070\n"},
    {"alias=a.com b.com:5060 tcp:3com.com\nport=5\n",
     "port = 5\nalias = a.com\nalias = b.com:5060\nalias = tcp:3com.com\n"},
    {"loadmodule \"tm.so\"\nloadmodule(\"sl\")\nloadmodule(\"/usr/lib/x/pv.so\", \"g\")\nloadmodulex \"a.so\"\n",
     "loadmodule(\"tm.so\")\nloadmodule(\"sl\")\nloadmodule(\"/usr/lib/x/pv.so\", \"g\")\nloadmodulex(\"a.so\")\n"},
    {"loadpath \"/a\"\nmpath=\"/b/\"\nmpath \"c\" \"d\"\n", "mpath \"/a\"\nmpath \"/b/\"\nmpath \"cd\"\n"},
    {"modparam(\"tm\", \"fr_timer\", 5)\nmodparam('a|b', \"c\", "
     "-1);\nmodparam(\"a\",\"b\",yes)\nmodparamx(\"a\",\"b\",\"$def(X)\")\n",
     "modparam(\"tm\", \"fr_timer\", 5)\nmodparam(\"a|b\", \"c\", -1)\nmodparam(\"a\", \"b\", 1)\n"
     "modparamx(\"a\", \"b\", \"$def(X)\")\n"},
    {"modparam(\"acc\", \"log_extra\",\n \"a=$fU;\"\n \"b=$tU\")\n",
     "modparam(\"acc\", \"log_extra\", \"a=$fU;b=$tU\")\n"},
    {"flags FLT_ACC:1, FLT_NAT\navpflags A\n", "flags FLT_ACC:1\nflags FLT_NAT\navpflags A\n"},
    {"bool FLT_ACC:1\nbool=3\na.b = 5 descr \"x\"\n", "bool = 3\na.b = 5 desc \"x\"\nflags FLT_ACC:1\n"},
    {"cfgengine \"native\"\ncfgengine = \"default\"\nport=5\n", "port = 5\n"},
    {"request_route { exit; }", "request_route {\n    exit;\n}\n"},
    {"route { exit; }", "request_route {\n    exit;\n}\n"},
    {"route[0] { exit; }", "request_route {\n    exit;\n}\n"},
    {"route[RELAY] { }\nroute[1] {}\nroute[\"a b\"] {}\n",
     "route[\"RELAY\"] {\n}\nroute[\"1\"] {\n}\nroute[\"a b\"] {\n}\n"},
    {"onreply_route { }\nreply_route[A] { }\nonreply_route[B] {}",
     "reply_route {\n}\nreply_route[\"A\"] {\n}\nreply_route[\"B\"] {\n}\n"},
    {"failure_route[A] { }\nbranch_route[1] { }\nonsend_route { }\nevent_route[xhttp:request] {}\nevent_route "
     "[tm:branch-failure:a] {}",
     "failure_route[\"A\"] {\n}\nbranch_route[\"1\"] {\n}\nonsend_route {\n}\nevent_route[\"xhttp:request\"] {\n}\n"
     "event_route[\"tm:branch-failure:a\"] {\n}\n"},
};

constexpr Case kPreprocessor[] = {
    {"#!define A 3\nx=A\n", "x = 3\n"},
    {"#!define A \"a\" \"b\"\nx=A\n", "x = \"ab\"\n"},
    {"#!define A \\\n  3 \\\n\nx=A\n", "x = 3\n"},
    {"#!define A 3 # three\n#!define B 4 // four\nx=A\ny=B\n", "x = 3\ny = 4\n"},
    {"!!define A 3\n!!ifdef A\nx=A\n!!endif\n", "x = 3\n"},
    {"#!define A B\n#!define B 3\nx=A\n", "x = 3\n"},
    {"#!define A A\nx=A\n", "x = \"A\"\n"},
    {"#!define A B\n#!define B A\nx=A\n", "x = \"A\"\n"},
    {"#!define A\nx=A\n", "x = \"A\"\n"},
    {"#!trydef A 1\n#!trydef A 2\nx=A\n", "x = 1\n"},
    {"#!define A 1\n#!redefine A 2\nx=A\n", "x = 2\n"},
    {"#!define A 1\n#!undef A\nx=A\n", "x = \"A\"\n"},
    {"#!define P udp:127.0.0.1\nlisten=P:5060\n#!define N 5070\nlisten=P:N\n",
     "socket = { bind = udp:127.0.0.1:5060; }\nsocket = { bind = udp:127.0.0.1:5070; }\n"},
    {"#!define S x=1\n#!define T S y=2\nT\n", "x = 1\ny = 2\n"},
    {"#!define IN 10.0.0.0/8\nroute { if (src_ip == IN) exit; }",
     "request_route {\n    if (src_ip == 10.0.0.0/8) {\n        exit;\n    }\n}\n"},
    {"#!ifdef A\n'\"(( /* \n#!else\nx=1\n#!endif\n", "x = 1\n"},
    {"#!define A\n#!ifdef A\nx=1\n#!else\n((\n#!endif\n", "x = 1\n"},
    {"#!ifndef A\nx=1\n#!endif\n", "x = 1\n"},
    {"#!ifdef A\n#!ifdef B\n((\n#!else\n((\n#!endif\n#!else\nx=1\n#!endif\n", "x = 1\n"},
    {"#!define A\n#!ifdef A # c\n #!ifdef B\n((\n #!else\nx=1\n #!endif // B\n#!endif\n", "x = 1\n"},
    {"#!ifexp 1 + 1 == 2 && !(3 < 2)\nx=1\n#!else\n((\n#!endif\n", "x = 1\n"},
    {"#!define A 3\n#!ifexp A >= 3 and A * 2 == 6\nx=1\n#!endif\n", "x = 1\n"},
    {"#!define A \"on\"\n#!ifexp A == \"on\"\nx=1\n#!endif\n", "x = 1\n"},
    {"#!define A\n#!ifexp A\nx=1\n#!endif\n#!ifexp NOPE\n((\n#!endif\n", "x = 1\n"},
    {"#!ifexp defined(NOPE) || not defined NOPE\nx=1\n#!endif\n", "x = 1\n"},
    {"#!ifexp KAMAILIO_VERSION >= 5006000\nx=1\n#!endif\n", "x = 1\n"},
    {"#!define B 2\n#!defexp A (B + 1) * -3\nx=A\n", "x = -9\n"},
    {"#!define B \"tm\"\n#!defexps A B + \".so\"\nloadmodule A\n", "loadmodule(\"tm.so\")\n"},
    {"#!defexps A 1 + 2\nx=A\n", "x = \"3\"\n"},
    {"loadmodule \"tm.so\"\n#!ifdef MOD_tm\nx=1\n#!endif\n#!ifdef MOD_sl\n((\n#!endif\n",
     "x = 1\nloadmodule(\"tm.so\")\n"},
    {"#!subst \"/HOST/10.0.0.1/\"\nx=\"HOST HOST\"\nHOST=1\n", "x = \"10.0.0.1 HOST\"\nHOST = 1\n"},
    {"#!subst \"!h(.)st!\\1\\1-\\0!gi\"\nx=\"HOST hist\"\n", "x = \"OO-HOST ii-hist\"\n"},
    {"#!substdef \"!PORT!5070!g\"\nx=PORT\ny=\"a:PORT\"\n", "x = 5070\ny = \"a:5070\"\n"},
    {"#!substdefs \"!HOST!a.b!g\"\nx=HOST\ny=\"HOST\"\n", "x = \"a.b\"\ny = \"a.b\"\n"},
    {"#!defenv KAHU_TEST_NUMBER\nx=KAHU_TEST_NUMBER\n", "x = 42\n"},
    {"#!defenvs KAHU_TEST_NUMBER\n#!defenv B=KAHU_TEST_NUMBER\nx=KAHU_TEST_NUMBER\ny=B\n", "x = \"42\"\ny = 42\n"},
    {"#!trydefenv KAHU_TEST_NOT_SET\nx=1\n", "x = 1\n"},
    {"import_file \"not-there.cfg\"\n#!import_file \"not-there.cfg\"\nx=1\n", "x = 1\n"},
    {"\n\nx=1 # #!endif\n", "x = 1\n"},
};

TEST(TopLevel, IsRead) {
    for (const Case& c : kTop) EXPECT_EQ(parsed(c.input).text(), c.printed) << c.input;
}

TEST(TopLevel, PrintedOnesReadAsThemselves) {
    for (const Case& c : kTop) EXPECT_EQ(parsed(c.printed).text(), c.printed);
}

TEST(Preprocessor, DoesWhatDirectivesSay) {
    ::setenv("KAHU_TEST_NUMBER", "42", 1);
    for (const Case& c : kPreprocessor) EXPECT_EQ(parsed(c.input).text(), c.printed) << c.input;
}

TEST(Preprocessor, TakesDefinesFromTheCommandLine) {
    ParseOptions options;
    options.defines = {"WITH_TLS", "PORT=5070", "HOST=\"a.b\""};
    options.substdef = {"!UDPPORT!5080!g"};
    EXPECT_EQ(parsed("#!ifdef WITH_TLS\nx=PORT\ny=HOST\nz=UDPPORT\n#!endif\n", options).text(),
              "x = 5070\ny = \"a.b\"\nz = 5080\n");
}

TEST(Preprocessor, KnowsTheScriptTypeByTheFirstLine) {
    EXPECT_EQ(parsed("#!KAMAILIO\nx=1\n").ast->script_type, ScriptType::kamailio);
    EXPECT_EQ(parsed("#!SER\n").ast->script_type, ScriptType::ser);
    EXPECT_EQ(parsed("#!ALL\n").ast->script_type, ScriptType::all);
    EXPECT_EQ(parsed("#!MAXCOMPAT\n").ast->script_type, ScriptType::maxcompat);
    EXPECT_EQ(parsed("\n#!KAMAILIO\n").ast->script_type, ScriptType::unmarked);
    EXPECT_EQ(parsed("#!/usr/sbin/kahu\nx=1\n").text(), "x = 1\n");
}

class Folder {  // of files for one test
  public:
    Folder() : path_(std::filesystem::temp_directory_path() / ("kahu-config-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path_ / "sub");
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string write(const std::string& name, std::string_view text) const {
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }
    std::string path() const { return path_; }

  private:
    std::filesystem::path path_;
};

TEST(Includes, AreRelativeToTheIncludingFile) {
    const Folder folder;
    const std::string main = folder.write("main.cfg", "a=1\ninclude_file \"sub/one.cfg\"\nd=4\n");
    folder.write("sub/one.cfg", "b=2\n#!include_file \"two.cfg\"\n");
    folder.write("sub/two.cfg", "#!define NAME \"no-such.cfg\"\nimport_file NAME\nc=3");
    Diagnostics diagnostics;
    const auto ast = parse_file(main, {}, diagnostics);
    ASSERT_TRUE(ast) << diagnostics.text();
    EXPECT_EQ(to_text(*ast), "a = 1\nb = 2\nc = 3\nd = 4\n");
    EXPECT_EQ(ast->files.text(ast->settings.at(2).at), folder.path() + "/sub/two.cfg:3:1");
    EXPECT_EQ(ast->files.text(ast->settings.at(3).at), main + ":3:1");
}

TEST(Includes, ThatFailOrRecurseAreErrors) {
    const Folder folder;
    const std::string self = folder.write("self.cfg", "include_file \"self.cfg\"\n");
    Diagnostics recursion;
    EXPECT_FALSE(parse_file(self, {}, recursion));
    EXPECT_NE(recursion.text().find("included more than 16 deep"), std::string::npos) << recursion.text();
    const std::string open = folder.write("open.cfg", "#!ifdef A\n");
    Diagnostics boundary;
    EXPECT_FALSE(parse_file(folder.write("outer.cfg", "include_file \"open.cfg\"\n#!endif\n"), {}, boundary));
    EXPECT_NE(boundary.text().find("this #!ifdef is not closed in its file"), std::string::npos) << boundary.text();
    EXPECT_NE(boundary.text().find("outer.cfg:2:1: #!endif without #!ifdef"), std::string::npos) << boundary.text();
    Diagnostics missing;
    EXPECT_FALSE(parse_file(folder.path() + "/none.cfg", {}, missing));
    EXPECT_NE(missing.text().find("none.cfg: the file could not be read: No such file"), std::string::npos)
        << missing.text();
    Diagnostics directory;
    EXPECT_FALSE(parse_file(folder.path(), {}, directory));
}

TEST(SocketText, IsTransportHostPort) {
    struct Row {
        std::string_view text, transport, host;
        int64_t port;
    };
    constexpr Row rows[] = {
        {"udp:10.0.0.1:5060", "udp", "10.0.0.1", 5060},
        {"10.0.0.1", "", "10.0.0.1", 0},
        {"eth0:5060", "", "eth0", 5060},
        {"TLS:[::1]:5061", "tls", "::1", 5061},
        {"::1", "", "::1", 0},
        {"[::1]", "", "::1", 0},
        {"tcp:*", "tcp", "*", 0},
        {"wss:a.b-c.de:443", "wss", "a.b-c.de", 443},
        {"udp:::1", "udp", "::1", 0},
    };
    for (const Row& row : rows) {
        const auto got = parse_socket_text(row.text);
        ASSERT_TRUE(got) << row.text << ": " << got.error().what;
        EXPECT_EQ(got->transport, row.transport) << row.text;
        EXPECT_EQ(got->host, row.host) << row.text;
        EXPECT_EQ(got->port, row.port) << row.text;
    }
    for (std::string_view wrong : {"", ":", "udp:", "udp:a:0", "udp:a:65536", "udp:a:b", "xdp:a:5060", "udp:[x]:5060",
                                   "udp:a b:5", "[::1", "tcp:a:"})
        EXPECT_FALSE(parse_socket_text(wrong)) << wrong;
}

}  // namespace
}  // namespace kahu::config
