// test/unit/script/structured_variables_test.cpp -- $xavp and its kin, branches, lists in headers, selects.
#include "core/config/runtime_cfg.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr Case kCases[] = {
    // --- $xavp
    {"xavp_value", "$xavp(a) = 1; $xavp(a) = \"two\"; log(\"$xavp(a) $xavp(a[0]) $xavp(a[1]) $xavp(a[2])\");",
     "two two 1 <null>"},
    {"xavp_from_end", "$xavp(a) = 1; $xavp(a) = 2; log(\"$xavp(a[-1]) $(xavp(a)[1])\");", "1 1"},
    {"xavp_list", "$xavp(l=>x) = 1; $xavp(l=>y) = 2; log(\"$xavp(l=>x) $xavp(l[0]=>y) $xavp(l[1]=>x)\");",
     "<null> 2 1"},
    {"xavp_same_list", "$xavp(l=>x) = 1; $xavp(l[0]=>y) = 2; log(\"$xavp(l=>x)$xavp(l=>y)$xavp(l[1]=>x)\");",
     "12<null>"},
    {"xavi_list", "$xavi(L=>x) = 1; $xavi(l=>Y) = 2; log(\"$xavi(l=>x) $xavi(L[0]=>y) $xavi(l[1]=>X)\");",
     "<null> 2 1"},
    {"xavp_list_name", "$xavp(l=>x) = 1; log(\"$xavp(l)\");", "<<xavp:l>>"},
    {"xavp_replace", "$xavp(l=>x) = 1; $xavp(l=>x[0]) = 2; log(\"$xavp(l=>x) $xavp(l=>x[1])\");", "2 <null>"},
    {"xavp_add", "$xavp(l=>x) = 1; $xavp(l[0]=>x) = 2; log(\"$xavp(l=>x) $xavp(l=>x[1])\");", "2 1"},
    {"xavp_remove", "$xavp(a) = 1; $xavp(a) = 2; $xavp(a) = $null; log(\"$xavp(a)\");", "1"},
    {"xavp_remove_all", "$xavp(a) = 1; $xavp(a) = 2; $xavp(a[*]) = $null; log(\"$xavp(a)\");", "<null>"},
    {"xavp_remove_list", "$xavp(l=>x) = 1; $xavp(l) = $null; log(\"$xavp(l=>x) $xavp(l)\");", "<null> <null>"},
    {"xavp_remove_of_nothing", "$xavp(l=>x) = $null; log(\"$xavp(l)\");", "<null>"},
    {"xavp_variable_index", "$xavp(a) = 1; $xavp(a) = 2; $var(i) = 1; log(\"$xavp(a[$var(i)])\");", "1"},
    {"xavp_missing_index", "$xavp(a[3]=>x) = 1; log(\"$xavp(a)\");", "<null>"},
    {"xavp_value_is_no_list", "$xavp(a) = 1; $xavp(a[0]=>x) = 2; log(\"$xavp(a) $xavp(a=>x)\");", "1 <null>"},
    {"xavu_value_becomes_list", "$xavu(a) = 1; $xavu(a=>x) = 2; log(\"$xavu(a=>x)\");", "2"},
    {"xavp_condition", "$xavp(l=>n) = 5; if ($xavp(l=>n) > 4) log(\"yes\");", "yes"},
    {"xavu", "$xavu(a) = 1; $xavu(a) = 2; log(\"$xavu(a) $xavu(a[1])\");", "2 <null>"},
    {"xavu_deep", "$xavu(a=>b=>c) = 1; $xavu(a=>b=>d) = 2; log(\"$xavu(a=>b=>c)$xavu(a=>b=>d)\");", "12"},
    {"xavi", "$xavi(Who=>Name) = 1; log(\"$xavi(wHO=>nAME)\");", "1"},
    // --- flags, branches
    {"script_flags", "$sf = 5; log(\"$sf $sF $Sf(0) $Sf(1)\");", "5 00000005 1 0"},
    {"branch_flags", "$bf = 6; $Bf(1) = 0; log(\"$bf $bF $Bf(2)\");", "4 00000004 1"},
    {"no_branches", "log(\"$branch(count) $br $branch(uri) $bR\");", "<null> <null> <null> <null>"},
    {"destination_set", "$var(x) = $ds; $ru = \"sip:a@b\"; log(\"$var(x) $ds\");", "0 Contact: <sip:a@b>"},
    {"advertised", "if (set_advertised_address(\"sip.example.com\") && set_advertised_port(5080)) log(\"set\");",
     "set"},
    {"advertised_bad", "if (!set_advertised_address(\"a b\") && !set_advertised_port(70000)) log(\"refused\");",
     "refused"},
    {"remove_branch", "if (!remove_branch(0) && clear_branches()) log(\"none\");", "none"},
    // --- texts and places
    {"evaluated", "$var(x) = $_s(sip:$rU@$fd); log(\"$var(x)\");", "sip:bob@atlanta.example"},
    {"define", "log(\"$def(GREETING) $defn(SEVEN)\");", "\"hello\" 7"},
    {"no_define", "log(\"$def(NOTHING)\");", "<null>"},
    {"place", "log(\"$cfg(file):$cfg(line)\");", "test.cfg:4"},
    // --- lists in headers
    {"list", "log(\"$hfl(Route) $(hfl(Route)[1]) $(hfl(Route)[2]) $(hfl(Route)[-1]) $(hfl(Route)[3])\");",
     "<sip:a;lr> <sip:b,x> <sip:c> <sip:c> <null>"},
    {"list_count", "log(\"$hflc(Route) $hdrc(Route)\");", "3 2"},
    {"header_all", "log(\"$(hdr(Route)[*])\");", "<sip:a;lr>, <sip:b,x>,<sip:c>"},
    {"identities", "log(\"$ai $pu $pU $pd $rt $di $dir\");",
     "sip:as@ser.ted sip:pre@fer.red pre fer.red sip:r@to sip:div@er.ted no-answer"},
    // --- selects
    {"select", "if (@from.uri.user == \"alice\") log(\"yes\");", "yes"},
    {"select_in_text", "log(\"$sel(to.uri.host) $(sel(ruri.user){s.toupper})\");", "example.com BOB"},
    {"select_header", "log(\"$sel(hf_value.p_asserted_identity.uri)\");", "sip:as@ser.ted"},
    {"select_header_index", "log(\"$sel(hf_value.route[3])\");", "<sip:c>"},
    {"select_via", "log(\"$sel(via.branch) $sel(via[0].host) $sel(via.port) $sel(via.transport)\");",
     "z9hG4bK77 10.1.2.3 26102 UDP"},
    {"select_setting", "log(\"$sel(cfg_get.pstn.gw_ip):$sel(cfg_get.pstn.gw_port)\");", "10.9.8.7:5066"},
    {"select_source", "log(\"$sel(src.ip_port)\");", "10.1.2.3:26101"},
};

class StructuredVariables : public testing::TestWithParam<Case> {};
TEST_P(StructuredVariables, AreRead) {
    // The settings must be there before the script is compiled, as core/app has it.
    static config::Ast settings = [] {
        config::Diagnostics found;
        auto ast = config::parse_text("pstn.gw_ip = \"10.9.8.7\" desc \"gateway\"\npstn.gw_port = 5066 desc \"port\"\n",
                                      "s.cfg", {}, found);
        return ast ? std::move(*ast) : config::Ast{};
    }();
    config::Diagnostics found;
    config::runtime_cfg().clear();
    config::runtime_cfg().add_custom(settings, found);
    Script script(std::string("#!define GREETING \"hello\"\n#!define SEVEN 7\nrequest_route {\n") +
                  GetParam().statements + "\n}\n");
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const std::string message =
        request("OPTIONS", "sip:bob@example.com:5070;transport=tcp",
                "Route: <sip:a;lr>, <sip:b,x>\r\nRoute: <sip:c>\r\nP-Asserted-Identity: \"A\" <sip:as@ser.ted>\r\n"
                "P-Preferred-Identity: <sip:pre@fer.red>\r\nRefer-To: <sip:r@to>\r\n"
                "Diversion: <sip:div@er.ted>;reason=\"no-answer\";counter=1\r\n");
    EXPECT_EQ(script.send(message).line(), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(Core, StructuredVariables, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(SavedRun, KeepsStructuredValues) {
    sip::Message message;
    sip::Bad bad;
    const std::string bytes = request();
    ASSERT_TRUE(message.parse(bytes, bad));
    const net::Inbound inbound = from();
    script::Run first, second;
    first.begin(message, inbound, kRequestRoute);
    const auto path = *XavpPath::parse("a=>b");
    ASSERT_TRUE(first.xavps.set(Xavps::List::several, path, Value::of("kept"), first.arena()));
    std::string saved;
    first.save(saved);
    second.begin(message, inbound, kFailureRoute);
    second.restore(saved);
    first.begin(message, inbound, kRequestRoute);
    saved.assign(saved.size(), 'x');
    const Xavps::Entry* const found = second.xavps.find(Xavps::List::several, path);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->value.text, "kept");
    EXPECT_EQ(first.xavps.find(Xavps::List::several, path), nullptr);
}

TEST(XavpPaths, AreBounded) {
    EXPECT_FALSE(XavpPath::parse(""));
    EXPECT_FALSE(XavpPath::parse("a[x]"));
    EXPECT_FALSE(XavpPath::parse("a[1"));
    EXPECT_FALSE(XavpPath::parse("a=>"));
    EXPECT_TRUE(XavpPath::parse("a=>b=>c=>d=>e=>f=>g=>h"));
    EXPECT_FALSE(XavpPath::parse("a=>b=>c=>d=>e=>f=>g=>h=>i"));
}

}  // namespace
}  // namespace kahu::script::test
