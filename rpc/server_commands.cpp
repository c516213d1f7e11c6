// core.* that tell about the server as a whole.
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "core/base/clock.h"
#include "rpc/commands.h"
#include "rpc/server_facts.h"

namespace kahu::rpc {
namespace {

constexpr const char* kPlatform = "x86_64/linux";
constexpr const char* kCompiler = "gcc " __VERSION__;
constexpr const char* kFlags =
    "USE_TCP, USE_TLS, TLS_HOOKS, SHM_MMAP, SHARED_OPENSSL, ROBUST_LOCKS, EPOLL, IPV6, DISABLE_NAGLE, BINRPC";

// "Fri Nov 20 22:52:09 2026", as ctime(3) writes it.
std::string ctime_text(int64_t unix_seconds) {
    const time_t seconds = unix_seconds;
    tm local{};
    ::localtime_r(&seconds, &local);
    char text[64];
    return std::string(text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local));
}

void version(RpcCall& call) { call.add(fmt::format("kahu {} ({})", server_facts().version, kPlatform)); }

void uptime(RpcCall& call) {
    const int64_t now = clock::unix_seconds(), since = server_facts().started_unix;
    call.add(RpcStruct{{"now", ctime_text(now)}, {"up_since", ctime_text(since)}, {"uptime", now - since}});
}

void info(RpcCall& call) {
    call.add(RpcStruct{{"version", "kahu " + server_facts().version},
                       {"id", "release"},
                       {"compiler", kCompiler},
                       {"compiled", ""},
                       {"flags", kFlags}});
}

void runinfo(RpcCall& call) {
    const int64_t now = clock::unix_seconds(), since = server_facts().started_unix, up = now - since;
    call.add(RpcStruct{
        {"name", "kahu"},
        {"version", server_facts().version},
        {"sourceid", "release"},
        {"compiler", kCompiler},
        {"compiled", ""},
        {"time_now", ctime_text(now)},
        {"time_started", ctime_text(since)},
        {"uptime_secs", up},
        {"utime_days", fmt::format("{}d {}h {}m {}s", up / 86400, up / 3600 % 24, up / 60 % 60, up % 60)},
    });
}

void pwd(RpcCall& call) { call.add(server_facts().working_directory); }
void arg(RpcCall& call) {
    for (const std::string& argument : server_facts().arguments) call.add(argument);
}
void flags(RpcCall& call) { call.add(kFlags); }

// Kamailio lists the last one loaded first.
void modules(RpcCall& call) {
    const auto& loaded = server_facts().modules;
    for (auto module = loaded.rbegin(); module != loaded.rend(); ++module) call.add(*module);
}

void ppdefines(RpcCall& call) {
    for (const auto& define : server_facts().defines) call.add(define.first);
}
void ppdefines_full(RpcCall& call) {
    for (const auto& [name, value] : server_facts().defines)
        call.add(RpcStruct{{"name", name}, {"type", 0}, {"value", value.empty() ? "none" : value}});
}

void echo(RpcCall& call) {
    while (call.more())
        if (const auto text = call.next_text()) call.add(*text);
}
void print_int(RpcCall& call) {
    while (call.more()) {
        const auto number = call.next_int();
        if (!number) return;
        call.add(*number);
    }
}

constexpr Command kCommands[] = {
    {"core.version", "", "Returns the version string of the server.", version},
    {"core.uptime", "", "Returns the time, when the server started, and the seconds between.", uptime},
    {"core.info", "", "Returns version, compiler and features.", info},
    {"core.runinfo", "", "Returns version, compiler and how long the server runs.", runinfo},
    {"core.pwd", "", "Returns the working directory of the server.", pwd},
    {"core.arg", "", "Returns the command line that the server was started with, one argument a value.", arg},
    {"core.flags", "", "Returns the features built in.", flags},
    {"core.modules", "", "Lists the loaded modules, the last one first.", modules},
    {"core.ppdefines", "", "Lists the names that the configuration's preprocessor knows.", ppdefines},
    {"core.ppdefines_full", "", "Lists those names with their values.", ppdefines_full},
    {"core.echo", "[value ...]", "Returns its parameters as text.", echo},
    {"core.printi", "[number ...]", "Returns its integer parameters.", print_int},
    {"core.prints", "[text ...]", "Returns its text parameters.", echo},
    {"core.printl", "[number ...]", "Returns its integer parameters, which may exceed 32 bits.", print_int},
};

}  // namespace

std::span<const Command> server_commands() { return kCommands; }

}  // namespace kahu::rpc
