#include <unistd.h>

#include <ctime>

#include "core/modules/pv/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct CopyCase {
    const char* name;
    const char* statements;
    const char* shown;
    const char* expected;
};
constexpr CopyCase kCopies[] = {
    {"on_top", "xavp_copy(\"a\", 0, \"b\");", "$xavp(b[0]=>x)$xavp(b[0]=>y=>z) $xavp(b[1]=>x)", "one3 old"},
    {"in_place", "xavp_copy(\"a\", 0, \"b\", 0);", "$xavp(b[0]=>x)$xavp(b[0]=>y=>z) $xavp(b[1]=>x)", "one3 <null>"},
    {"is_its_own", "xavp_copy(\"a\", 0, \"b\"); $xavp(b[0]=>x[0]) = \"new\";", "$xavp(a=>x) $xavp(b=>x)", "one new"},
    {"no_source", "$var(rc) = xavp_copy(\"a\", 5, \"b\");", "$var(rc) $xavp(b=>x)", "-1 old"},
    {"no_place", "$var(rc) = xavp_copy(\"a\", 0, \"b\", 1);", "$var(rc) $xavp(b=>x)", "-1 old"},
    {"onto_itself", "$var(rc) = xavp_copy(\"a\", 0, \"a\", 0);", "$var(rc) $xavp(a=>x)", "1 one"},
    {"of_a_value", "$xavp(v) = 7; xavp_copy(\"v\", 0, \"w\");", "$xavp(w)", "7"},
    {"remove", "xavp_rm(\"a\"); $var(rc) = xavp_rm(\"a\");", "$var(rc) $xavp(a=>x) $xavp(b=>x)", "1 <null> old"},
    {"remove_any_case", "$xavi(Q=>x) = 1; xavi_rm(\"q\");", "$xavi(q=>x)", "<null>"},
    {"variable", "$var(p) = \"text\"; $var(rc) = pv_var_to_xavp(\"p\", \"l\");", "$var(rc) $xavp(l=>p)", "1 text"},
    {"variables", "$var(p) = \"text\"; $var(q) = 5; pv_var_to_xavp(\"*\", \"l\");", "$xavp(l=>p) $xavp(l=>q)",
     "text 5"},
    {"no_variable", "$var(rc) = pv_var_to_xavp(\"none\", \"l\");", "$var(rc) $xavp(l=>none)", "-1 <null>"},
    {"back", "$xavp(l=>p) = \"new\"; $xavp(l[0]=>q) = 9; $xavp(l[0]=>unused) = 1; pv_xavp_to_var(\"l\");",
     "$var(p) $var(q)", "new 9"},
    {"back_from_none", "$var(rc) = pv_xavp_to_var(\"none\");", "$var(rc)", "-1"},
};
TEST(ListCopies, AreMade) {
    for (const CopyCase& c : kCopies)
        EXPECT_EQ(logged(std::string("$xavp(a=>x) = \"one\"; $xavp(a[0]=>y=>z) = 3; $xavp(b=>x) = \"old\"; ") +
                             c.statements + " log(\"" + c.shown + "\");",
                         "", {&pv::kModule}),
                  c.expected)
            << c.name;
}
TEST(ListCopies, AreBounded) {
    EXPECT_EQ(
        logged("$xavp(a=>x) = 1; $var(n) = 0; $var(i) = 0; while ($var(i) < 60) { $var(j) = 0; while ($var(j) < 60) { "
               "if (xavp_copy(\"a\", 0, \"b\")) $var(n) = $var(n) + 1; $var(j) = $var(j) + 1; } "
               "$var(i) = $var(i) + 1; } log(\"$var(n)\");",
               "", {&pv::kModule}),
        std::to_string((Xavps::kMost - 2) / 2));
}

std::string with_pv(const std::string& statements, std::string_view message = "") {
    return logged(statements, message, {&pv::kModule});
}

struct RequestCase {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr RequestCase kRequest[] = {
    {"sbranch_is_empty", "sbranch_reset(); log(\"$sbranch(uri) $sbranch(flags) $sbranch(count)\");", "<null> <null> 0"},
    {"sbranch_of_nothing", "sbranch_reset(); if (!sbranch_append() && !sbranch_set_ruri()) log(\"$branch(count)\");",
     "<null>"},
    {"sbranch_to_ruri",
     "sbranch_reset(); $du = \"sip:old\"; $sbranch(uri) = \"sip:s@h\"; $sbranch(flags) = 3; sbranch_set_ruri(); "
     "log(\"$ru $du $bf\");",
     "sip:s@h <null> 3"},
    {"sbranch_appended",
     "sbranch_reset(); $sbranch(uri) = \"sip:s@h\"; $sbranch(dst_uri) = \"sip:d\"; $sbranch(q) = 500; "
     "sbranch_append(); "
     "log(\"$branch(uri) $branch(dst_uri) $branch(q) $ru\");",
     "sip:s@h sip:d 500 sip:bob@example.com:5070;transport=tcp"},
    {"sbranch_takes_uris_only", "sbranch_reset(); $sbranch(uri) = \"nonsense\"; log(\"$sbranch(uri)\");", "<null>"},
    {"msgbuf", "$var(i) = 3; log(\"$msgbuf(0)$msgbuf($var(i))$msgbuf(99999)$msgbuf(-1)\");", "OI<null><null>"},
    {"msgbuf_assigned", "$msgbuf(0) = \"Q\"; $msgbuf(0) = \"R\"; log(\"$(mbu{s.substr,0,9})\");", "RPTIONS s"},
    {"mbu_as_received", "if ($mbu == $mb) log(\"same\");", "same"},
    {"rcv", "log(\"$rcv(srcip) $rcv(srcport) $rcv(rcvip) $rcv(rcvport) $rcv(proto) $rcv(sproto) $rcv(af)\");",
     "10.1.2.3 26101 127.0.0.1 26100 1 udp 2"},
    {"rcv_bytes", "if ($rcv(buf) == $mb && $rcv(len) == $ml) log(\"same\");", "same"},
    {"of_replies", "log(\"$rpl(duri) $rpl(cntvia) $rsi\");", "<null> <null> 0"},
    {"ccp_unknown", "log(\"$ccp(no.such)\");", "<null>"},
    {"sid", "log(\"$sid\");", "0"},
};
class PvOfRequest : public testing::TestWithParam<RequestCase> {};
TEST_P(PvOfRequest, IsWhatTheManualSays) { EXPECT_EQ(with_pv(GetParam().statements), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(All, PvOfRequest, testing::ValuesIn(kRequest),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Pv, StaticBranchOutlivesItsMessage) {
    Script script("request_route { log(\"$sbranch(uri)\"); $sbranch(uri) = \"sip:\" + $cs + \"@kept\"; }",
                  {&pv::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    script.send(request());
    EXPECT_EQ(script.send(request("INFO", "sip:a-longer-uri-that-fills-the-arena@example.com")).line(), "sip:7@kept");
}

TEST(Pv, WhereAReplyGoes) {
    Script script(
        "request_route { exit; } reply_route { log(\"$rpl(duri) $rpl(dhost) $rpl(dport) $rpl(dprotoid) $rpl(cntvia) "
        "$rsi\"); drop; }",
        {&pv::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    std::string bytes = reply("SIP/2.0 183 On");
    bytes.insert(bytes.find("From:"), "Via: SIP/2.0/TCP 10.9.9.9:7;branch=z9hG4bK2\r\n");
    EXPECT_EQ(script.send(bytes).line(), "sip:10.9.9.9:7;transport=tcp 10.9.9.9 7 2 2 183");
    bytes.replace(bytes.find("10.9.9.9:7"), 10, "h;received=2001:db8::3;rport=9");
    EXPECT_EQ(script.send(bytes).line(), "sip:[2001:db8::3]:9;transport=tcp [2001:db8::3] 9 2 2 183");
}

Status set_param(std::string_view name, const char* value) {
    for (const Param& param : pv::kModule.params)
        if (param.name == name) return kahu::apply(param, ParamValue(std::string(value)));
    return Error{Errc::not_found, "no such parameter", ""};
}

TEST(Pv, KnowsTheTime) {
    const auto now = static_cast<long>(::time(nullptr));
    EXPECT_NEAR(std::stol(with_pv("log(\"$Ts\");")), now, 2);
    EXPECT_NEAR(std::stol(with_pv("log(\"$TV(s)\");")), now, 2);
    EXPECT_EQ(with_pv("log(\"$utimef(%Y)\");").size(), 4u);
    EXPECT_EQ(with_pv("log(\"$time(year)\");"), with_pv("log(\"$timef(%Y)\");"));
    EXPECT_FALSE(with_pv("log(\"$Tf\");").empty());
}

TEST(Pv, KnowsTheProcess) {
    EXPECT_EQ(with_pv("log(\"$pp\");"), std::to_string(::getpid()));
    ASSERT_EQ(::setenv("KAHU_PV_TEST", "here", 1), 0);
    EXPECT_EQ(with_pv("log(\"$env(KAHU_PV_TEST) $env(KAHU_NOT_SET)\");"), "here <null>");
}

TEST(Pv, ReadsCredentials) {
    const std::string message =
        request("REGISTER", "sip:example.com",
                "Authorization: Digest username=\"alice@x\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", "
                "response=\"00000000000000000000000000000000\", algorithm=MD5\r\n");
    EXPECT_EQ(with_pv("log(\"$au $ad $aU $ar $adu $aa $adn $Au $AU\");", message),
              "alice x alice@x r sip:x MD5 n alice@atlanta.example alice");
    EXPECT_EQ(with_pv("log(\"$au $ad $Au $AU\");"), "<null> <null> alice@atlanta.example alice");
}

TEST(Pv, AsksForTypes) {
    EXPECT_EQ(with_pv("if (pv_isset(\"$avp(x)\")) log(\"set\"); else log(\"unset\");"), "unset");
    EXPECT_EQ(with_pv("$avp(x) = \"\"; if (pv_isset(\"$avp(x)\") && !not_empty(\"$avp(x)\")) log(\"empty\");"),
              "empty");
    EXPECT_EQ(with_pv("$var(x) = \"12\"; if (!is_int(\"$var(x)\") && typeof(\"$var(x)\", \"str\")) log(\"text\");"),
              "text");
    EXPECT_EQ(with_pv("if (is_int(\"$cs\") && typeof(\"$cs\", \"str\")) log(\"both\");"), "both");
    EXPECT_EQ(with_pv("$var(x) = 12; if (is_int(\"$var(x)\")) log(\"int\");"), "int");
}

TEST(Pv, ReadsPartsOfTheMessage) {
    struct Case {
        const char* format;
        const char* shown;
    };
    const std::string invite =
        request("INVITE", "sip:bob@example.com:5070;transport=tcp",
                "Via: SIP/2.0/TLS [2001:db8::1];branch=z9hG4bK2;received=10.0.0.9;rport=77;i=5\r\n"
                "Route: <sip:p;lr;ftag=zz>\r\nContact: <sip:a@b>;expires=60, <sip:c@d>\r\nExpires: 300\r\n");
    constexpr Case kCases[] = {
        {"$via0(host) $via0(port) $via0(proto) $via0(protoid) $via0(branch)", "10.1.2.3 26102 UDP 1 z9hG4bK77"},
        {"$via0(rport) $via0(received) $via0(i)", "<null> <null> <null>"},
        {"$via1(host) $via1(port) $via1(protoid) $via1(rport) $via1(received) $via1(i)",
         "[2001:db8::1] 5061 3 77 10.0.0.9 5"},
        {"$viaZ(branch)", "z9hG4bK2"},
        {"$nh(u) $nh(U) $nh(d) $nh(p) $nh(P)", "sip:bob@example.com:5070;transport=tcp bob example.com 5070 tcp"},
        {"$rdir(id) $rdir(name) $fti $tti", "2 upstream <null> a1"},
        {"$expires(min) $expires(max)", "60 300"},
        {"$csb $mts $fUl $tUl $rUl $oUl", "7 INVITE rq 5 3 3 3"},
        {"$K(IPv4) $K(IPv6) $K(TLS) $K(WSS)", "2 10 3 6"},
        {"$snd(ip) $sndto(port) $sndfrom(proto)", "<null> <null> <null>"},
    };
    for (const Case& c : kCases)
        EXPECT_EQ(with_pv(std::string("log(\"") + c.format + "\");", invite), c.shown) << c.format;
    EXPECT_EQ(with_pv("log(\"$rdir(name) $expires(min) $via1(host)\");"), "downstream <null> <null>");
}

TEST(Pv, CountsValues) {
    EXPECT_EQ(
        with_pv("$avp(n) = 1; $avp(n) = 2; $xavp(m) = 3; log(\"$cnt($avp(n)) $cnt($xavp(m)) $cnt($avp(none))\");"),
        "2 1 0");
    Script script("request_route { log(\"$cnt($ru)\"); }", {&pv::kModule});
    EXPECT_NE(script.found.text().find("cannot be counted"), std::string::npos) << script.found.text();
}

TEST(ListFunctions, FillAndEmptyLists) {
    struct Case {
        const char* statements;
        const char* shown;
    };
    constexpr Case kCases[] = {
        {"$avp(u) = 1; pv_unset(\"$avp(u)\"); log(\"$avp(u)\");", "<null>"},
        {"pv_printf(\"$var(x)\", \"to $rU\"); avp_printf(\"$avp(y)\", \"$var(x)!\"); log(\"$avp(y)\");", "to bob!"},
        {"xavp_params_explode(\"a=1;b=two;c\", \"l\"); log(\"$xavp(l=>a)$xavp(l=>b) $xavp(l[1]=>a)\");", "1two <null>"},
        {"xavp_params_explode(\"a=1\", \"l\"); xavp_params_explode(\"a=2\", \"l\"); "
         "log(\"$xavp(l=>a)$xavp(l[1]=>a)\");",
         "21"},
        {"xavp_params_explode(\"a=1;b=2\", \"l\"); xavp_params_implode(\"l\", \"$var(x)\"); log(\"$var(x)\");",
         "a=1;b=2;"},
        {"if (!xavp_params_implode(\"none\", \"$var(x)\")) log(\"no list\");", "no list"},
        {"xavu_params_explode(\"a=1;b=2\", \"l\"); log(\"$xavu(l=>a)$xavu(l=>b)\");", "12"},
        {"xavp_slist_explode(\"a, b\", \",\", \"t\", \"s\"); log(\"$xavp(s=>v)$xavp(s=>v[1]) $xavp(s=>v[2])\");",
         "ab <null>"},
        {"xavp_child_seti(\"c\", \"n\", 5); xavp_child_seti(\"c\", \"n\", 7); log(\"$xavp(c=>n) $xavp(c=>n[1])\");",
         "7 <null>"},
        {"xavp_child_sets(\"c\", \"s\", \"t\"); xavp_child_rm(\"c\", \"s\"); log(\"$xavp(c=>s)\");", "<null>"},
        {"xavi_child_sets(\"C\", \"S\", \"t\"); log(\"$xavi(c=>s)\");", "t"},
        {"xavp_child_sets(\"c\", \"s\", \"t\"); pv_xavp_print();", "c: list"},
    };
    for (const Case& c : kCases) EXPECT_EQ(with_pv(c.statements), c.shown) << c.statements;
    Script script("request_route { pv_unset(\"$ru and more\"); }", {&pv::kModule});
    EXPECT_NE(script.found.text().find("is no variable that can be assigned to"), std::string::npos)
        << script.found.text();
}

TEST(Pv, ColoursAndVersion) {
    EXPECT_EQ(with_pv("log(\"$C(gx)x$C(xx)\");"), "\033[0;32;49mx\033[0;39;49m");
    EXPECT_EQ(with_pv("log(\"$version(num)\");"), KAHU_VERSION);
    EXPECT_EQ(with_pv("log(\"$version(full) $version(hash)\");"), "kahu " KAHU_VERSION " unknown");
    Script script("request_route { log(\"$C(zz)\"); }", {&pv::kModule});
    EXPECT_NE(script.found.text().find("$C(zz) is not known"), std::string::npos) << script.found.text();
}

TEST(SharedVariables, KeepTheirValueFromMessageToMessage) {
    ASSERT_TRUE(set_param("shvset", "limit=i:5"));
    Script script(
        "request_route { $shv(seen) = $shv(seen) + 1; $shv(name) = \"n\" + $shv(seen);\n"
        "log(\"$shv(seen) $shv(name) $shv(limit) $shvinc(limit)\"); }",
        {&pv::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "1 n1 5 6");
    EXPECT_EQ(script.send(request()).line(), "2 n2 6 7");
}

TEST(SharedVariables, AreShownAndSetByCommands) {
    ASSERT_TRUE(set_param("shvset", "shown=s:text"));
    const auto run = [](const char* name, std::vector<RpcCall::Param> params) {
        RpcCall call(name, std::move(params));
        for (const Command& command : pv::kModule.commands)
            if (command.name == name) command.call(call);
        return call;
    };
    EXPECT_FALSE(run("pv.shvGet", {std::string("shown")}).faulted());
    EXPECT_TRUE(run("pv.shvGet", {std::string("nobody")}).faulted());
    EXPECT_FALSE(run("pv.shvGet", {}).faulted());
    EXPECT_TRUE(run("pv.shvSet", {std::string("shown"), std::string("float"), int64_t{1}}).faulted());
    EXPECT_TRUE(run("pv.shvSet", {std::string("shown"), std::string("str"), std::string(2000, 'x')}).faulted());
    EXPECT_FALSE(run("pv.shvSet", {std::string("shown"), std::string("int"), int64_t{7}}).faulted());
    EXPECT_EQ(with_pv("log(\"$shv(shown)\");"), "7");
}

TEST(SharedVariables, ParametersAreChecked) {
    for (const char* bad : {"", "x", "x=", "x=5", "x=i:", "x=i:a", "=i:5", "x=f:1"})
        EXPECT_FALSE(set_param("shvset", bad)) << bad;
    ASSERT_TRUE(set_param("varset", "begin=i:9"));
}

TEST(Pv, RowsAreWellFormed) { EXPECT_TRUE(well_formed(pv::kModule)); }

}  // namespace
}  // namespace kahu::script::test
