// Names, order and types of the fields of every answer, as a Kamailio 5.6.3 gave them.
#include <gtest/gtest.h>

#include "test/unit/rpc/test_server.h"

namespace kahu::rpc::testing_server {
namespace {

// "i" integer, "f" double, "s" text, "{name:i ...}", "[i ...]".
std::string shape_of(const RpcValue& value);
struct Shape {
    std::string operator()(int64_t) const { return "i"; }
    std::string operator()(double) const { return "f"; }
    std::string operator()(const std::string&) const { return "s"; }
    std::string operator()(const RpcStruct& members) const {
        std::string out;
        for (const auto& [name, value] : members) out += (out.empty() ? "" : " ") + name + ":" + shape_of(value);
        return "{" + out + "}";
    }
    std::string operator()(const RpcArray& values) const {
        std::string out;
        for (const RpcValue& value : values) out += (out.empty() ? "" : " ") + shape_of(value);
        return "[" + out + "]";
    }
};
std::string shape_of(const RpcValue& value) { return std::visit(Shape{}, value.data()); }

struct Case {
    const char* name;
    const char* command;
    std::vector<RpcCall::Param> params;
    const char* shape;  // of the values, with blanks between; or the fault
};
const std::string kText = "x";
const Case kCases[] = {
    {"version", "core.version", {}, "s"},
    {"uptime", "core.uptime", {}, "{now:s up_since:s uptime:i}"},
    {"info", "core.info", {}, "{version:s id:s compiler:s compiled:s flags:s}"},
    {"runinfo",
     "core.runinfo",
     {},
     "{name:s version:s sourceid:s compiler:s compiled:s time_now:s time_started:s uptime_secs:i utime_days:s}"},
    {"ps", "core.ps", {}, "i s i s"},
    {"psx", "core.psx", {}, "{IDX:i PID:i DSC:s INC:i UPT:i} {IDX:i PID:i DSC:s INC:i UPT:i}"},
    {"psa",
     "core.psa",
     {},
     "{index:i pid:i status:i rank:i description:s} {index:i pid:i status:i rank:i description:s}"},
    {"pwd", "core.pwd", {}, "s"},
    {"arg", "core.arg", {}, "s s s"},
    {"flags", "core.flags", {}, "s"},
    {"modules", "core.modules", {}, "s s"},
    {"ppdefines", "core.ppdefines", {}, "s s"},
    {"ppdefines_full", "core.ppdefines_full", {}, "{name:s type:i value:s} {name:s type:i value:s}"},
    {"shmmem", "core.shmmem", {}, "{total:i free:i used:i real_used:i max_used:i fragments:i}"},
    {"shmmem_k", "core.shmmem", {std::string("k")}, "{total:i free:i used:i real_used:i max_used:i fragments:i}"},
    {"shmmem_x", "core.shmmem", {kText}, "500 bad param, (use b|k|m|g)"},
    {"tcp_info",
     "core.tcp_info",
     {},
     "{readers:i max_connections:i max_tls_connections:i opened_connections:i opened_tls_connections:i "
     "write_queued_bytes:i}"},
    {"tcp_options",
     "core.tcp_options",
     {},
     "{connect_timeout:i send_timeout:i connection_lifetime:i max_connections(soft):i max_tls_connections(soft):i "
     "no_connect:i "
     "fd_cache:i async:i connect_wait:i conn_wq_max:i wq_max:i defer_accept:i delayed_ack:i syncnt:i linger2:i "
     "keepalive:i "
     "keepidle:i keepintvl:i keepcnt:i crlf_ping:i accept_aliases:i alias_flags:i new_conn_alias_flags:i}"},
    {"tcp_list", "core.tcp_list", {}, ""},
    {"sockets_list", "core.sockets_list", {}, "{}"},
    {"aliases_list", "core.aliases_list", {}, "{myself_callbacks:s aliases:{}}"},
    {"udp4_raw_info", "core.udp4_raw_info", {}, "{udp4_raw:i udp4_raw_mtu:i udp4_raw_ttl:i}"},
    {"printi", "core.printi", {int64_t{5}}, "i"},
    {"printi_text",
     "core.printi",
     {std::string("abc")},
     "400 error at parameter 0: expected integer type but record doesn't match type"},
    {"prints", "core.prints", {kText}, "s"},
    {"debug", "corex.debug", {}, "{debug:i}"},
    {"debug_2", "corex.debug", {int64_t{0}}, "{old:i new:i}"},
    {"method_help", "system.methodHelp", {std::string("core.ps")}, "s"},
    {"method_help_none", "system.methodHelp", {}, "400 Method Name Expected"},
    {"method_help_unknown", "system.methodHelp", {kText}, "400 command not found"},
    {"who", "ctl.who", {}, "s s s s s s"},
    {"connections", "ctl.connections", {}, "i"},
    {"listen", "ctl.listen", {}, "s s s s s s s s s s s s s s s s s s s s"},
    {"cnt_get", "cnt.get", {std::string("tcp"), std::string("con_reset")}, "i"},
    {"cnt_get_unknown", "cnt.get", {kText, kText}, "400 non-existent counter x.x\n"},
    {"cnt_get_cut", "cnt.get", {}, "400 error at parameter 0: expected string type but end of packet encountered"},
    {"cnt_help", "cnt.help", {std::string("tcp"), std::string("con_reset")}, "s"},
    {"cnt_reset", "cnt.reset", {std::string("tcp"), std::string("con_reset")}, ""},
    {"cnt_var_list_none", "cnt.var_list", {kText}, ""},
    {"cnt_grp_get_all_none", "cnt.grp_get_all", {kText}, "{}"},
    {"cnt_grps_list", "cnt.grps_list", {}, "s s s s s"},
    {"cnt_get_group", "cnt.get", {std::string("dns")}, "{failed_dns_request:i refused:i slow_dns_request:i}"},
    {"stats_one", "stats.get_statistics", {std::string("con_reset")}, "s"},
    {"stats_unknown", "stats.get_statistics", {kText}, ""},
    {"stats_none", "stats.get_statistics", {}, "400 Please provide which stats to retrieve"},
    {"fetch", "stats.fetch", {std::string("con_reset")}, "{tcp.con_reset:s}"},
    {"fetchn", "stats.fetchn", {std::string("tcp.con_reset")}, "{tcp.con_reset:i}"},
    {"fetch_unknown", "stats.fetch", {kText}, "{}"},
    {"reset", "stats.reset_statistics", {std::string("con_reset")}, ""},
    {"clear", "stats.clear_statistics", {std::string("con_reset"), std::string("con_timeout")}, "s s"},
    {"shm_stats", "shm.stats", {}, "{total:f free:f used:f real_used:f max_used:f fragments:f}"},
    {"shm_info", "shm.info", {}, "{name:s size:f}"},
    {"pkg_info", "pkg.info", {}, "{name:s size:i}"},
    {"pkg_stats",
     "pkg.stats",
     {std::string("index"), int64_t{1}},
     "{entry:i pid:i rank:i used:i free:i real_used:i total_size:i total_frags:i desc:s}"},
    {"pkg_stats_filter", "pkg.stats", {kText, int64_t{1}}, "500 Invalid filter type"},
    {"pkg_stats_pid", "pkg.stats", {std::string("pid"), int64_t{1}}, "500 No such pid"},
    {"mod_stats", "mod.stats", {std::string("openssl"), std::string("shm")}, "s {segment:i Total:i} s"},
    {"mod_stats_unknown", "mod.stats", {kText, std::string("shm")}, "s {Total:i} s"},
    {"mod_stats_none", "mod.stats", {}, "500 Module name or \"all\" needed"},
    {"mod_mem_statsx", "mod.mem_statsx", {std::string("openssl"), std::string("shm")}, "s {segment:s Total:i} s"},
    {"shm_status", "corex.shm_status", {}, ""},
    {"pkg_summary", "corex.pkg_summary", {std::string("idx"), int64_t{0}}, ""},
    {"pkg_summary_bad", "corex.pkg_summary", {kText, int64_t{0}}, "500 Unsupported selector: idx or pid"},
    {"dns_add", "dns.add_a", {std::string("A.Example."), int64_t{60}, std::string("10.0.0.1"), int64_t{0}}, ""},
    {"dns_add_twice", "dns.add_a", {std::string("a.example"), int64_t{60}, std::string("10.0.0.2"), int64_t{0}}, ""},
    {"dns_lookup",
     "dns.lookup",
     {std::string("a"), std::string("a.EXAMPLE")},
     "{name:s type:s size_bytes:i reference_counter:i permanent:s expires:i last_used:i negative_entry:s "
     "records:[{rr_idx:i rr_ip:s rr_permanent:s rr_expires:i} {rr_idx:i rr_ip:s rr_permanent:s rr_expires:i}]}"},
    {"dns_debug", "dns.debug", {}, "s i i i i i i"},
    {"dns_debug_all", "dns.debug_all", {}, "s i i i i i i i s s i s i i i i i i i s s i"},
    {"dns_mem_info", "dns.mem_info", {}, "i i"},
    {"dns_view_none", "dns.view", {int64_t{0}}, ""},
    {"dns_add_wrong_family",
     "dns.add_aaaa",
     {std::string("a"), int64_t{1}, std::string("10.0.0.1"), int64_t{0}},
     "400 Failed to add the entry to the cache: \"10.0.0.1\" is not an IPv6 address"},
    {"dns_add_long_name",
     "dns.add_a",
     {std::string(300, 'x'), int64_t{1}, std::string("10.0.0.1"), int64_t{0}},
     "400 a name has 1 to 255 octets, this one 300"},
    {"dns_add_flags",
     "dns.add_a",
     {std::string("a"), int64_t{1}, std::string("10.0.0.1"), int64_t{8}},
     "400 flags are 1 (there is no such record) and 2 (permanent), not 8"},
    {"dns_add_port",
     "dns.add_srv",
     {std::string("s"), int64_t{1}, int64_t{1}, int64_t{1}, int64_t{65536}, std::string("t"), int64_t{0}},
     "400 the port is from 0 to 65535, not 65536"},
    {"dns_delete", "dns.delete_a", {std::string("a.example")}, ""},
    {"dns_delete_again", "dns.delete_a", {std::string("a.example")}, "400 Not found"},
    {"dns_delete_other", "dns.delete_ptr", {std::string("a.example")}, "400 Not found"},
    {"dns_delete_all", "dns.delete_all", {}, "{status:s}"},
    {"kill_bad", "core.kill", {int64_t{999}}, "400 signal 999 does not exist"},
};

class Commands : public testing::TestWithParam<Case> {
  protected:
    static void SetUpTestSuite() { server = new TestServer; }
    static void TearDownTestSuite() {
        delete server;
        server = nullptr;
    }
    static TestServer* server;
};
TestServer* Commands::server = nullptr;

TEST_P(Commands, AnswerAsKamailioDoes) {
    const Outcome outcome = ask(server->stream(), GetParam().command, GetParam().params);
    std::string got = outcome.fault;
    for (const RpcValue& value : outcome.values) got += (got.empty() ? "" : " ") + shape_of(value);
    EXPECT_EQ(got, GetParam().shape);
}
INSTANTIATE_TEST_SUITE_P(Shapes, Commands, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST_F(Commands, EveryCommandHasHelpAndASignature) {
    const Outcome all = ask(server->stream(), "system.listMethods");
    ASSERT_GT(all.values.size(), 50u);
    std::string before;
    for (const RpcValue& value : all.values) {
        const std::string& name = std::get<std::string>(value.data());
        EXPECT_LT(before, name) << "sorted, without repetitions";
        before = name;
        EXPECT_EQ(ask(server->stream(), "system.methodHelp", {name}).fault, "") << name;
        const Outcome signature = ask(server->stream(), "system.methodSignature", {name});
        ASSERT_EQ(signature.values.size(), 1u);
        EXPECT_EQ(std::get<std::string>(signature.values[0].data()).substr(0, name.size()), name);
    }
}

}  // namespace
}  // namespace kahu::rpc::testing_server
