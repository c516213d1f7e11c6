// Values on their way to the rows; the run-time registry and the answers of cfg.*
#include <gtest/gtest.h>

#include "core/config/apply_settings.h"
#include "core/config/cfg_rpc.h"
#include "core/config/runtime_cfg.h"
#include "test/unit/config/parsing.h"

namespace kahu::config {
namespace {

IntSetting debug_level{2}, lifetime{120}, children{8}, timer{30}, tls_limit{5};
TextSetting prefix{""};
std::vector<std::string> sockets;

Status add_socket(const ParamValue& value) {
    if (std::holds_alternative<int64_t>(value)) return Error{Errc::invalid, "a socket is text", "unix:/path"};
    sockets.push_back(std::get<std::string>(value));
    return {};
}

constexpr Applies kRuntime = Applies::at_runtime;
const Param kCore[] = {
    {.name = "debug", .number = &debug_level, .min = -5, .max = 3, .help = "Log level.", .applies = kRuntime},
    {.name = "log_prefix", .kind = ParamKind::text, .text = &prefix, .help = "Before each line.", .applies = kRuntime},
    {.name = "old_thing", .help = "Nothing.", .remark = "has no effect: it is old"},
};
const Param kTcp[] = {
    {.name = "children", .number = &children, .min = 1, .max = 48, .unit = "processes", .help = "Workers."},
    {.name = "tcp_connection_lifetime",
     .number = &lifetime,
     .min = 1,
     .max = 9999,
     .unit = "seconds",
     .help = "Life.",
     .applies = kRuntime},
    {.name = "tls_max_connections", .number = &tls_limit, .min = 1, .max = 9999, .help = "Limit.", .applies = kRuntime},
};
const Param kTm[] = {
    {.name = "fr_timer", .number = &timer, .min = 1, .max = 1000, .unit = "ms", .help = "Timer.", .applies = kRuntime},
    {.name = "binrpc", .kind = ParamKind::custom, .accept = add_socket, .help = "Socket."},
};
const ModuleDescriptor kTmModule{.name = "tm", .summary = "x", .params = kTm};
const ModuleDescriptor kTmxModule{.name = "tmx", .summary = "x", .params = kTm};
const std::span<const Param> kTables[] = {kCore, kTcp};
const ModuleDescriptor* const kLoaded[] = {&kTmModule, &kTmxModule};

std::string applied(std::string_view text) {
    Diagnostics diagnostics;
    const auto ast = parse_text(text, "t.cfg", {}, diagnostics);
    if (ast) {
        apply_settings(*ast, kTables, diagnostics);
        apply_modparams(*ast, kLoaded, diagnostics);
    }
    return diagnostics.text();
}

TEST(Settings, ReachTheirRows) {
    EXPECT_EQ(applied("debug=3\nlog_prefix=\"x \"\ntcp_connection_lifetime=77\n"), "");
    EXPECT_EQ(debug_level, 3);
    EXPECT_EQ(prefix.get(), "x ");
    EXPECT_EQ(lifetime, 77);
}

TEST(Settings, ThatAreWrongNamePlaceAndRange) {
    EXPECT_EQ(applied("debug = 9\n"), "t.cfg:1:9: debug = 9 is not valid — expected an integer from -5 to 3\n");
    EXPECT_EQ(applied("x=1\n\nchildren=\"a\"\n"),
              "t.cfg:1:1: unknown parameter 'x'\nt.cfg:3:10: children = \"a\" is not valid — expected an integer from "
              "1 to 48 processes\n");
    EXPECT_EQ(applied("lisen=udp:127.0.0.1:5060\n"), "t.cfg:1:1: unknown parameter 'lisen' — did you mean 'listen'?\n");
    EXPECT_EQ(applied("tcp_conection_lifetime=5\n"),
              "t.cfg:1:1: unknown parameter 'tcp_conection_lifetime' — did you mean 'tcp_connection_lifetime'?\n");
    EXPECT_EQ(applied("old_thing=1\nmemlog=5\n"),
              "t.cfg:1:1: warning: old_thing has no effect: it is old\n"
              "t.cfg:2:1: warning: memlog has no effect: the memory of the segment needs no tuning\n");
}

TEST(Modparams, ReachEveryModuleOfThePattern) {
    sockets.clear();
    EXPECT_EQ(applied("modparam(\"tm\", \"fr_timer\", 500)\nmodparam(\"nope|tmx\", \"binrpc\", "
                      "\"a\")\nmodparam(\"tm.*\", \"binrpc\", \"b\")\n"),
              "");
    EXPECT_EQ(timer, 500);
    EXPECT_EQ(sockets, (std::vector<std::string>{"a", "b", "b"}));
}

TEST(Modparams, ExpandWhatIsKnownAtStart) {
    sockets.clear();
    EXPECT_EQ(applied("#!define RUN \"/run/x\"\nmodparamx(\"tm\", \"binrpc\", \"unix:$defv(RUN)/ctl\")\n"), "");
    EXPECT_EQ(sockets, (std::vector<std::string>{"unix:/run/x/ctl"}));
    EXPECT_EQ(applied("modparamx(\"tm\", \"binrpc\", \"$ru(x)\")\n").substr(0, 40),
              "t.cfg:1:27: $ru(x) has no value at start");
}

TEST(Modparams, ThatAreWrongSaySo) {
    EXPECT_EQ(applied("modparam(\"sl\", \"x\", 1)\n"),
              "t.cfg:1:1: modparam: module 'sl' is not loaded — loadmodule \"sl.so\"\n");
    EXPECT_EQ(applied("modparam(\"sl|rr\", \"x\", 1)\n"),
              "t.cfg:1:1: modparam: no module that matches 'sl|rr' is loaded\n");
    EXPECT_EQ(applied("modparam(\"tm\", \"fr_time\", 1)\n"),
              "t.cfg:1:1: module tm has no parameter 'fr_time' — did you mean 'fr_timer'?\n");
    EXPECT_EQ(applied("modparam(\"tm\", \"fr_timer\", 0)\n"),
              "t.cfg:1:28: tm: fr_timer = 0 is not valid — expected an integer from 1 to 1000 ms\n");
    EXPECT_EQ(applied("modparam(\"tm\", \"binrpc\", 1)\n"), "t.cfg:1:26: tm: a socket is text — unix:/path\n");
    EXPECT_EQ(applied("modparam(\"(\", \"x\", 1)\n").substr(0, 52),
              "t.cfg:1:1: modparam: '(' is no module and no pattern");
}

TEST(AcceptedSettings, AreUniqueAndExplained) {
    std::vector<std::string_view> names;
    for (const AcceptedSetting& row : accepted_settings()) {
        EXPECT_FALSE(row.remark.empty());
        EXPECT_EQ(std::count(names.begin(), names.end(), row.name), 0) << row.name;
        names.push_back(row.name);
    }
}

// --- cfg.* -------------------------------------------------------------------------------------------
std::string shown(const RpcValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value.data())) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&value.data())) return *text;
    std::string out = "{";
    for (const auto& [name, field] : std::get<RpcStruct>(value.data())) out += name + ": " + shown(field) + "; ";
    return out + "}";
}

std::string rpc(std::string command, std::vector<RpcCall::Param> params = {}) {
    for (const Command& row : cfg_commands()) {
        if (row.name != "cfg." + command) continue;
        RpcCall call(std::string(row.name), std::move(params));
        row.call(call);
        if (call.faulted()) return std::to_string(call.faulted()->first) + " - " + call.faulted()->second;
        std::string out;
        for (const RpcValue& value : call.results()) out += shown(value) + "\n";
        return out;
    }
    return "no such command";
}

class Cfg : public testing::Test {
  protected:
    Cfg() {
        runtime_cfg().clear();
        applied("debug=2\nlog_prefix=\"p\"\ntcp_connection_lifetime=120\n");
        timer.set(30);
        tls_limit.set(5);
        runtime_cfg().add_rows("core", kCore);
        runtime_cfg().add_rows("tcp", kTcp);
        runtime_cfg().add_rows("tm", kTm);
        Diagnostics diagnostics;
        const auto ast = parse_text(
            "pstn.gw_ip = \"1.2.3.4\" desc \"Gateway\"\npstn.gw_port = 5060\npstn[7].gw_port = 7\ntm.fr_timer = 60\n",
            "t.cfg", {}, diagnostics);
        runtime_cfg().add_custom(*ast, diagnostics);
        runtime_cfg().remember_configured();
        EXPECT_EQ(diagnostics.text(), "");
    }
};

TEST_F(Cfg, ListsGetsAndExplains) {
    EXPECT_EQ(rpc("list"),
              "core: debug\ncore: log_prefix\ntcp: children\ntcp: connection_lifetime\ntcp: max_tls_connections\n"
              "tm: fr_timer\ntm: binrpc\npstn: gw_ip\npstn: gw_port\n");
    EXPECT_EQ(rpc("list", {"pstn"}), "pstn: gw_ip\npstn: gw_port\n");
    EXPECT_EQ(rpc("list", {"nosuch"}), "");
    EXPECT_EQ(rpc("get", {"core", "debug"}), "2\n");
    EXPECT_EQ(rpc("get", {"tcp", "connection_lifetime"}), "120\n");
    EXPECT_EQ(rpc("get", {"tcp", "tcp_connection_lifetime"}), "120\n");
    EXPECT_EQ(rpc("get", {"tcp", "max_tls_connections"}), "5\n");
    EXPECT_EQ(rpc("get", {"pstn"}), "{gw_ip: 1.2.3.4; gw_port: 5060; }\n");
    EXPECT_EQ(rpc("get", {"nosuch"}), "{}\n");
    EXPECT_EQ(rpc("get", {"tm", "fr_timer"}), "60\n");
    EXPECT_EQ(rpc("get", {"tm", "binrpc"}), "400 - Variable exists, but it is not readable via RPC interface");
    EXPECT_EQ(rpc("get", {"core", "nosuch"}), "400 - Failed to get the variable");
    EXPECT_EQ(rpc("get", {"nosuch", "x"}), "400 - Failed to get the variable");
    EXPECT_EQ(rpc("get"), "500 - Failed to get the parameters");
    EXPECT_EQ(rpc("help", {"pstn", "gw_ip"}), "Gateway\n(parameter type is string)\n");
    EXPECT_EQ(rpc("help", {"pstn", "gw_port"}), "<null string>\n(parameter type is integer)\n");
    EXPECT_EQ(rpc("help", {"core", "nosuch"}), "400 - Failed to get the variable description");
    EXPECT_EQ(rpc("help", {"core"}).substr(0, 4), "400 ");
}

TEST_F(Cfg, SetsAtOnceAndResets) {
    EXPECT_EQ(rpc("set_now_int", {"core", "debug", 3}), "");
    EXPECT_EQ(debug_level, 3);
    EXPECT_EQ(rpc("seti", {"core", "debug", "-1"}), "");
    EXPECT_EQ(debug_level, -1);
    EXPECT_EQ(rpc("set_now_string", {"pstn", "gw_ip", "5.5.5.5"}), "");
    EXPECT_EQ(rpc("sets", {"pstn", "gw_port", "9"}), "");
    EXPECT_EQ(rpc("set", {"core", "log_prefix", 7}), "");
    EXPECT_EQ(rpc("get", {"pstn"}), "{gw_ip: 5.5.5.5; gw_port: 9; }\n");
    EXPECT_EQ(rpc("get", {"core"}), "{debug: -1; log_prefix: 7; }\n");
    EXPECT_EQ(rpc("reset", {"core"}), "");
    EXPECT_EQ(rpc("get", {"core"}), "{debug: 2; log_prefix: p; }\n");
    EXPECT_EQ(rpc("reset", {"nosuch"}), "500 - Reset failed: there is no group nosuch");
}

TEST_F(Cfg, RefusesWhatDoesNotFit) {
    EXPECT_EQ(rpc("set_now_int", {"core", "debug", 99}),
              "400 - Failed to set the variable: debug = 99 is not valid (expected an integer from -5 to 3)");
    EXPECT_EQ(rpc("set_now_int", {"tcp", "children", 3}),
              "400 - Failed to set the variable: tcp.children cannot be changed while the server runs");
    EXPECT_EQ(rpc("set", {"core", "nosuch", 3}), "400 - Failed to set the variable: there is no variable core.nosuch");
    EXPECT_EQ(rpc("set_delayed_int", {"core", "debug", 99}).substr(0, 37), "400 - Failed to set the variable: deb");
    EXPECT_EQ(rpc("set", {"tm", "binrpc", "x"}).substr(0, 33), "400 - Failed to set the variable:");
    EXPECT_EQ(rpc("set", {"pstn", "gw_ip", std::string(504, 'x')}).substr(0, 33), "400 - Failed to set the variable:");
    EXPECT_EQ(rpc("set_now_int", {"core", "debug"}).substr(0, 6), "400 - ");
    EXPECT_EQ(rpc("set", {"core[", "debug", 1}).substr(0, 24), "400 - Wrong group syntax");
    EXPECT_EQ(debug_level, 2);
}

TEST_F(Cfg, DelayedChangesComeTogether) {
    EXPECT_EQ(rpc("set_delayed_int", {"core", "debug", 1}), "");
    EXPECT_EQ(rpc("set_delayed_string", {"pstn", "gw_ip", "8.8.8.8"}), "");
    EXPECT_EQ(rpc("diff"),
              "{group name: core; variable name: debug; old value: 2; new value: 1; }\n"
              "{group name: pstn; variable name: gw_ip; old value: 1.2.3.4; new value: 8.8.8.8; }\n");
    EXPECT_EQ(debug_level, 2);
    EXPECT_EQ(rpc("commit"), "");
    EXPECT_EQ(rpc("diff"), "");
    EXPECT_EQ(debug_level, 1);
    EXPECT_EQ(rpc("set_delayed", {"core", "debug", 3}), "");
    EXPECT_EQ(rpc("rollback"), "");
    EXPECT_EQ(rpc("commit"), "");
    EXPECT_EQ(debug_level, 1);
}

TEST_F(Cfg, InstancesHaveValuesOfTheirOwn) {
    EXPECT_EQ(rpc("get", {"pstn[7]", "gw_port"}), "7\n");
    EXPECT_EQ(rpc("get", {"pstn[5]", "gw_port"}), "400 - Failed to get the variable");
    EXPECT_EQ(rpc("add_group_inst", {"pstn[5]"}), "");
    EXPECT_EQ(rpc("get", {"pstn[5]", "gw_port"}), "5060\n");
    EXPECT_EQ(rpc("set", {"pstn[5]", "gw_port", 5}), "");
    EXPECT_EQ(rpc("get", {"pstn[5]"}), "{gw_ip: 1.2.3.4; gw_port: 5; }\n");
    EXPECT_EQ(rpc("get", {"pstn", "gw_port"}), "5060\n");
    EXPECT_EQ(rpc("set_delayed", {"pstn[5]", "gw_ip", "z"}), "");
    EXPECT_EQ(rpc("diff"),
              "{group name: pstn; group id: 5; variable name: gw_ip; old value: 1.2.3.4; new value: z; }\n");
    EXPECT_EQ(rpc("del_delayed", {"pstn[5]", "gw_port"}), "");
    EXPECT_EQ(rpc("commit"), "");
    EXPECT_EQ(rpc("get", {"pstn[5]"}), "{gw_ip: z; gw_port: 5060; }\n");
    EXPECT_EQ(rpc("del", {"pstn[5]", "gw_ip"}), "");
    EXPECT_EQ(rpc("get", {"pstn[5]", "gw_ip"}), "1.2.3.4\n");
    EXPECT_EQ(rpc("del_group_inst", {"pstn[5]"}), "");
    EXPECT_EQ(rpc("del_group_inst", {"pstn[5]"}),
              "400 - Failed to delete the group instance: there is no instance 5 of group pstn");
    for (const char* wrong : {"pstn", "pstn[x]", "pstn[1", "pstn[]", "[1]", ""})
        EXPECT_EQ(rpc("add_group_inst", {wrong}), "400 - Wrong group syntax. Use \"group[id]\"") << wrong;
    EXPECT_EQ(rpc("add_group_inst", {"nosuch[1]"}), "400 - Failed to add the group instance: there is no group nosuch");
}

TEST_F(Cfg, DefinitionsThatClashAreErrors) {
    Diagnostics diagnostics;
    const auto ast = parse_text("pstn.gw_ip = 1\ntm.fr_timer = 5000\nx[1].y = 2\n", "t.cfg", {}, diagnostics);
    runtime_cfg().add_custom(*ast, diagnostics);
    EXPECT_EQ(diagnostics.text(),
              "t.cfg:1:1: pstn.gw_ip is defined twice\n"
              "t.cfg:2:15: tm.fr_timer: fr_timer = 5000 is not valid — expected an integer from 1 to 1000 ms\n"
              "t.cfg:3:10: x.y: there is no such variable — define x.y first\n");
}

TEST(CfgCommands, AreAllOfThem) {
    EXPECT_EQ(cfg_commands().size(), 19u);
    for (const Command& row : cfg_commands()) {
        EXPECT_TRUE(row.name.starts_with("cfg."));
        EXPECT_FALSE(row.help.empty());
        RpcCall call(std::string(row.name), {});
        row.call(call);  // without parameters: an answer, never a crash
    }
}

}  // namespace
}  // namespace kahu::config
