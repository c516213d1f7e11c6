// test/unit/script/variables_test.cpp -- what each variable gives for one known request, and what assigning does.
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* text;  // a format
    const char* expected;
};

constexpr Case kCases[] = {
    {"ru", "$ru", "sip:bob@example.com:5070;transport=tcp"},
    {"parts", "$rU $rd $rp $rP $rz", "bob example.com 5070 tcp sip"},
    {"original", "$ou $oU $od $op $oP", "sip:bob@example.com:5070;transport=tcp bob example.com 5070 tcp"},
    {"method", "$rm $rmid $rv $mt", "OPTIONS 16 SIP/2.0 1"},
    {"of_replies", "$rs $rr", "<null> <null>"},
    {"from", "$fu $fU $fd $ft", "sip:alice@atlanta.example alice atlanta.example a1"},
    {"from_name", "$fn", "\"Alice A\""},
    {"to", "$tu $tU $td $tt", "sip:bob@example.com bob example.com <null>"},
    {"ids", "$ci $cs $cl $ua", "abc@10.1.2.3 7 4 tester"},
    {"body", "$rb $bs $(rb{s.len})", "body 4 4"},
    {"message_parts", "$msg(fline) $msg(body) $msg(body_len)",
     "OPTIONS sip:bob@example.com:5070;transport=tcp SIP/2.0 body 4"},
    {"head_of_message", "$(msg(fpart){s.substr,0,11})$(msg(fpart){s.substr,-1,1})", "OPTIONS sip4"},
    {"source", "$si $sp $su $sut $sas $siz",
     "10.1.2.3 26101 sip:10.1.2.3:26101 sip:10.1.2.3:26101;transport=udp udp:10.1.2.3:26101 10.1.2.3"},
    {"local", "$Ri $Rp $Ru", "127.0.0.1 26100 sip:127.0.0.1:26100"},
    {"protocol", "$proto $pr $prid $af $conid", "udp udp 1 4 <null>"},
    {"header", "$hdr(X-One) $(hdr(X-One)[1]) $(hdr(X-One)[-1]) $(hdr(X-One)[5])", "1 2 3 <null>"},
    {"header_count", "$hdrc(X-One) $hdrc(Nope)", "3 0"},
    {"header_compact", "$hdr(f)", "\"Alice A\" <sip:alice@atlanta.example>;tag=a1"},
    {"constants", "$null $true $rc", "<null> 1 1"},
    {"dollar", "$$ru costs 5$$", "$ru costs 5$"},
    {"parentheses", "$(ru)x", "sip:bob@example.com:5070;transport=tcpx"},
    {"dot_behind", "$rd.net $rU.", "example.com.net bob."},
    {"dotted_name", "$ruri.user", "bob"},
    {"unset_du", "$du $dd", "<null> <null>"},
};

class Variables : public testing::TestWithParam<Case> {};
TEST_P(Variables, GiveWhatTheMessageHas) {
    const std::string message = request("OPTIONS", "sip:bob@example.com:5070;transport=tcp",
                                        "X-One: 1\r\nx-one: 2\r\nX-ONE: 3\r\nUser-Agent: tester\r\n", "body");
    EXPECT_EQ(logged(std::string("log(\"") + GetParam().text + "\");", message), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(Core, Variables, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

struct Assigned {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr Assigned kAssigned[] = {
    {"ru", "$ru = \"sips:carol@host.example\"; log(\"$ru $rU $rd $rp $rz\");",
     "sips:carol@host.example carol host.example 5061 sips"},
    {"bad_ru_keeps", "$ru = \"not a uri\"; log(\"$rU\");", "bob"},
    {"rU", "$rU = \"x\"; log(\"$ru\");", "sip:x@example.com:5070;transport=tcp"},
    {"rU_null", "$rU = $null; log(\"$ru\");", "sip:example.com:5070;transport=tcp"},
    {"rd", "$rd = \"other.example\"; log(\"$ru\");", "sip:bob@other.example:5070;transport=tcp"},
    {"rp", "$rp = 99; log(\"$ru\");", "sip:bob@example.com:99;transport=tcp"},
    {"rd_injection", "$rd = \"h>\\r\\nX: y\"; log(\"$rd\");", "example.com"},
    {"port_is_text_to_plus", "$var(r) = $rp + 1; log(\"$var(r)\");", "50701"},
    {"cseq_is_text_to_equal", "if ($cs == 7 && $cs != \"07\") log(\"yes\");", "yes"},
    {"port_in_arithmetic", "$var(r) = $rp - 70; log(\"$var(r)\");", "5000"},
    {"port_is_text_in_var", "$var(p) = $op; $var(r) = $var(p) + $rp; log(\"$var(r)\");", "50705070"},
    {"port_of_du", "$du = \"sip:h:99\"; $var(r) = $dp + 1; log(\"$var(r)\");", "991"},
    {"port_in_switch", "switch ($rp) { case 5070: log(\"here\"); }", "here"},
    {"br_adds", "$br = \"sip:n@h\"; $br = \"sip:m@h\"; log(\"$branch(count) $br $bR\");", "2 sip:n@h sip:n@h, sip:m@h"},
    {"br_takes_uris_only", "$br = \"nonsense\"; log(\"$br\");", "<null>"},
    {"as_many_as_max_branches",
     "$var(i) = 0; while ($var(i) < 40) { $br = \"sip:n@h\"; $var(i) = $var(i) + 1; } "
     "log(\"$branch(count)\");",
     "11"},
    {"revert", "$rU = \"x\"; revert_uri(); log(\"$ru\");", "sip:bob@example.com:5070;transport=tcp"},
    {"strip_prefix", "strip(1); prefix(\"+1\"); log(\"$rU\");", "+1ob"},
    {"strip_more_than_all", "strip(99); log(\"$rU\");", "<null>"},
    {"strip_tail", "strip_tail(2); log(\"$rU\");", "b"},
    {"sethost", "sethost(\"h.example\"); setport(\"7\"); setuser(\"u\"); log(\"$ru\");",
     "sip:u@h.example:7;transport=tcp"},
    {"sethostport", "sethostport(\"h.example:8\"); log(\"$ru\");", "sip:bob@h.example:8;transport=tcp"},
    {"seturi", "seturi(\"sip:z@z.example\"); log(\"$ru $ou\");",
     "sip:z@z.example sip:bob@example.com:5070;transport=tcp"},
    {"du", "$du = \"sip:10.0.0.1:5060;transport=tls\"; log(\"$du $dd $dp $dP\");",
     "sip:10.0.0.1:5060;transport=tls 10.0.0.1 5060 tls"},
    {"du_null", "$du = \"sip:10.0.0.1\"; $du = $null; log(\"$du\");", "<null>"},
    {"avp_stack", "$avp(x) = 1; $avp(x) = 2; log(\"$avp(x) $(avp(x)[1])\");", "2 1"},
    {"avp_index_adds", "$avp(x) = 1; $(avp(x)[0]) = 5; log(\"$avp(x) $(avp(x)[1])\");", "5 1"},
    {"avp_replace_all", "$avp(x) = 1; $avp(x) = 2; $(avp(x)[*]) = 5; log(\"$avp(x) $(avp(x)[1])\");", "5 <null>"},
    {"avp_all", "$avp(x) = 1; $avp(x) = \"b\"; log(\"$(avp(x)[*])\");", "b, 1"},
    {"avp_remove", "$avp(x) = 1; $avp(x) = 2; $avp(x) = $null; log(\"$avp(x)\");", "1"},
    {"avp_remove_all", "$avp(x) = 1; $avp(x) = 2; $(avp(x)[*]) = $null; log(\"$avp(x)\");", "<null>"},
    {"avp_dynamic", "$var(n) = \"k\"; $avp($var(n)) = \"v\"; log(\"$avp(k)\");", "v"},
    {"avp_prefixed", "$avp(s:name) = 1; log(\"$avp(name)\");", "1"},
    {"var_self", "$var(x) = \"abcdef\"; $var(x) = $(var(x){s.substr,2,0}); log(\"$var(x)\");", "cdef"},
    {"var_grows", "$var(x) = \"a\"; $var(x) = $var(x) + $var(x) + $var(x); log(\"$var(x)\");", "aaa"},
    {"vn_is_null", "log(\"$vn(q)\");", "<null>"},
    {"flags", "setflag(0); setflag(5); log(\"$mf $mF $Mf(5) $Mf(4)\");", "33 00000021 1 0"},
    {"set_flags", "$mf = 3; if (isflagset(1)) log(\"a\");", "a"},
};
class Assignments : public testing::TestWithParam<Assigned> {};
TEST_P(Assignments, ChangeWhatTheRunKnows) { EXPECT_EQ(logged(GetParam().statements), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(Core, Assignments, testing::ValuesIn(kAssigned),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(ScriptVariables, OutliveTheMessageAndAvpsDoNot) {
    Script script("request_route { log(\"$var(n) $avp(n)\"); $var(n) = $var(n) + 1; $avp(n) = 1; }");
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "0 <null>");
    EXPECT_EQ(script.send(request()).line(), "1 <null>");
}

TEST(AddressVariables, ShowIpv6) {
    net::Inbound inbound = from("2001:db8::5", Transport::tls);
    EXPECT_EQ(logged("log(\"$si $siz $su $proto $af\");", "", {}, inbound),
              "2001:db8::5 [2001:db8::5] sip:[2001:db8::5]:26101;transport=tls tls 6");
}

struct Operand {
    const char* name;
    const char* condition;
    bool expected;
};
constexpr Operand kOperands[] = {
    {"method", "method == \"OPTIONS\"", true},
    {"method_word", "method == OPTIONS", true},
    {"method_other", "method != \"INVITE\"", true},
    {"method_regex", "method =~ \"^OPT\"", true},
    {"proto", "proto == UDP", true},
    {"proto_not", "proto != TLS", true},
    {"proto_tls", "proto == TLS", false},
    {"af", "af == INET", true},
    {"af6", "af == INET6", false},
    {"src_ip", "src_ip == 10.1.2.3", true},
    {"src_net", "src_ip == 10.1.0.0/16", true},
    {"src_net_odd_bits", "src_ip == 10.1.2.0/23", true},
    {"src_net_not", "src_ip != 10.2.0.0/16", true},
    {"src_mask", "src_ip == \"10.1.0.0/255.255.0.0\"", true},
    {"src_text", "src_ip == \"10.1.2.3\"", true},
    {"src_v6", "src_ip == 2001:db8::/32", false},
    {"src_variable", "src_ip == $si", true},
    {"src_regex", "src_ip =~ \"^10\\.1\"", true},
    {"dst_ip", "dst_ip == 127.0.0.1", true},
    {"src_port", "src_port == 26101", true},
    {"dst_port", "dst_port == 26100 && dst_port > 1000", true},
    {"uri", "uri == \"SIP:bob@EXAMPLE.com:5070;transport=tcp\"", true},
    {"uri_regex", "uri =~ \"^sip:bob@\"", true},
    {"from_uri", "from_uri == \"sip:alice@atlanta.example\"", true},
    {"to_uri", "to_uri != \"sip:alice@atlanta.example\"", true},
    {"uri_myself", "uri == myself", false},
    {"uri_not_myself", "uri != myself", true},
    {"src_not_myself", "src_ip != myself", true},
    {"msg_len", "msg:len > 100 && msg:len < max_len", true},
    {"status_of_request", "status == 200", false},
    {"address_variable", "$si == \"10.1.2.3\"", true},
};
class Operands : public testing::TestWithParam<Operand> {};
TEST_P(Operands, CompareAsKamailiosDo) {
    const std::string statement = std::string("if (") + GetParam().condition + ") log(\"true\"); else log(\"false\");";
    EXPECT_EQ(logged(statement), GetParam().expected ? "true" : "false");
}
INSTANTIATE_TEST_SUITE_P(Core, Operands, testing::ValuesIn(kOperands),
                         [](const auto& i) { return std::string(i.param.name); });

}  // namespace
}  // namespace kahu::script::test
