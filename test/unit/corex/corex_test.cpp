#include <unistd.h>

#include "core/modules/corex/module.h"
#include "core/net/listener.h"
#include "core/net/subdomains.h"
#include "core/script/event_route.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr Case kCases[] = {
    {"branch", "if (append_branch(\"sip:c@d\")) log(\"yes\");", "yes"},
    {"branch_q", "if (append_branch(\"sip:c@d\", \"0.5\")) log(\"yes\");", "yes"},
    {"branch_of_now", "if (append_branch()) log(\"yes\");", "yes"},
    {"branch_bad_uri", "if (!append_branch(\"nonsense\")) log(\"no\");", "no"},
    {"branch_bad_q", "if (!append_branch(\"sip:c@d\", \"1.5\")) log(\"no\");", "no"},
    {"branches_are_bounded",
     "$var(i) = 0; while ($var(i) < 60 && append_branch(\"sip:c@d\")) $var(i) = $var(i) + 1; log(\"$var(i)\");", "11"},
    {"user", "if (has_ruri_user()) log(\"yes\");", "yes"},
    {"no_user", "$ru = \"sip:example.com\"; if (!has_ruri_user()) log(\"no\");", "no"},
    {"no_agent", "if (!has_user_agent()) log(\"no\");", "no"},
    {"foreign_socket", "if (!set_send_socket(\"udp:192.0.2.1:5060\")) log(\"no\");", "no"},
    {"odd_socket", "if (!set_send_socket(\"udp:\") && !set_send_socket(\"x\") && !set_send_socket(\"\")) log(\"no\");",
     "no"},
    {"no_name", "if (!is_socket_name(\"x\") && !set_send_socket_name(\"\")) log(\"no\");", "no"},
    {"xflags", "setxflag(63); setxflag(1); resetxflag(1); if (isxflagset(63) && !isxflagset(1)) log(\"yes\");", "yes"},
    {"xflags_computed", "$var(f) = 40; setxflag(\"$var(f)\"); if (isxflagset(40)) log(\"yes\");", "yes"},
    {"xflags_out_of_range", "$var(f) = 64; if (!setxflag(\"$var(f)\")) log(\"no\");", "no"},
    {"xflags_are_not_flags", "setflag(5); if (!isxflagset(5)) log(\"no\");", "no"},
    {"marks",
     "msg_iflag_set(\"UAC_AUTH\"); if (msg_iflag_is_set(\"UAC_AUTH\") && !msg_iflag_is_set(\"USE_UAC_TO\")) "
     "log(\"yes\");",
     "yes"},
    {"marks_are_of_one_message", "if (!msg_iflag_is_set(\"UAC_AUTH\")) log(\"no\");", "no"},
    {"marks_cleared",
     "msg_iflag_set(\"UAC_AUTH\"); msg_iflag_reset(\"UAC_AUTH\"); if (!msg_iflag_is_set(\"UAC_AUTH\")) log(\"no\");",
     "no"},
    {"not_faked", "if (!is_faked_msg()) log(\"no\");", "no"},
    {"source", "set_source_address(\"udp:192.0.2.7:5077\"); log(\"$si $sp $proto\");", "192.0.2.7 5077 udp"},
    {"source_of_other_family", "if (!set_source_address(\"udp:[2001:db8::1]:5077\")) log(\"no $si\");", "no 10.1.2.3"},
    {"source_of_other_transport", "if (!set_source_address(\"tcp:192.0.2.7\")) log(\"no $si\");", "no 10.1.2.3"},
    {"source_bad", "if (!set_source_address(\"udp:host.example\")) log(\"no $si\");", "no 10.1.2.3"},
    {"receive_foreign", "set_recv_socket(\"udp:192.0.2.1:5060\"); log(\"$Rp\");", "26100"},
    {"send_nowhere", "if (!send_udp(\"not a host\")) log(\"no\");", "no"},
    {"send_data_no_uri", "if (!send_data(\"192.0.2.1\", \"x\")) log(\"no\");", "no"},
    {"sendx_foreign_socket", "if (!sendx(\"sip:192.0.2.1\", \"udp:192.0.2.9:5060\", \"x\")) log(\"no\");", "no"},
    {"no_file", "if (!file_read(\"/nonexistent/x\", \"$var(x)\")) log(\"no\");", "no"},
    {"no_folder", "if (!file_write(\"/nonexistent/x\", \"y\")) log(\"no\");", "no"},
    {"folder_is_no_file", "if (!file_read(\"/\", \"$var(x)\")) log(\"no\");", "no"},
    {"endless_file", "if (!file_read(\"/dev/zero\", \"$var(x)\")) log(\"no\");", "no"},
};
class Corex : public testing::TestWithParam<Case> {};
TEST_P(Corex, DoesWhatItSays) { EXPECT_EQ(logged(GetParam().statements, "", {&corex::kModule}), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(All, Corex, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });
TEST(Corex, EventsWithoutAMessageAreFaked) {
    Script script("request_route { exit; }\nevent_route[corex:event] { if (is_faked_msg()) log(\"faked\"); }",
                  {&corex::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    script.program->install();
    g_outcome = {};
    EXPECT_TRUE(run_event_route("corex:event"));
    EXPECT_EQ(g_outcome.line(), "faked");
}
TEST(Corex, RowsAreWellFormed) { EXPECT_TRUE(well_formed(corex::kModule)); }

TEST(Corex, FilesAreWrittenAndRead) {
    const std::string path = testing::TempDir() + "corex-" + std::to_string(::getpid());
    const std::string name = "\"" + path + "\"";
    EXPECT_EQ(logged("file_write(" + name + ", \"first\"); file_write(" + name + ", \"of $fU\"); file_read(" + name +
                         ", \"$var(x)\"); log(\"$var(x)\");",
                     "", {&corex::kModule}),
              "of alice");
    ::unlink(path.c_str());
}

TEST(Corex, SubdomainsAreOurs) {
    net::subdomain_aliases().clear();
    const Param& row = corex::kModule.params.front();
    ASSERT_EQ(row.name, "alias_subdomains");
    ASSERT_TRUE(kahu::apply(row, std::string("Example.net")));
    ASSERT_TRUE(kahu::apply(row, std::string("udp:only.example.org:5070")));
    for (const char* wrong : {"", "udp:", "a b", "x:y:z", "udp:host:port"})
        EXPECT_FALSE(kahu::apply(row, std::string(wrong)));
    const Transport udp = Transport::udp, tcp = Transport::tcp;
    EXPECT_TRUE(net::is_myself("example.net", 0));
    EXPECT_TRUE(net::is_myself("a.b.EXAMPLE.net", 5066, &tcp));
    EXPECT_FALSE(net::is_myself("badexample.net", 0));
    EXPECT_FALSE(net::is_myself(".net", 0));
    EXPECT_TRUE(net::is_myself("x.only.example.org", 5070, &udp));
    EXPECT_FALSE(net::is_myself("x.only.example.org", 5071, &udp));
    EXPECT_FALSE(net::is_myself("x.only.example.org", 5070, &tcp));
    net::subdomain_aliases().clear();
}

}  // namespace
}  // namespace kahu::script::test
