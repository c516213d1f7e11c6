// core.ps and its relatives, from the process table.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/base/clock.h"
#include "core/net/connection.h"
#include "core/proc/process_table.h"
#include "core/proc/settings.h"
#include "rpc/commands.h"

namespace kahu::rpc {
namespace {

template <class F>
void for_each_process(F&& f) {
    for (int slot = 0; slot < proc::process_count(); ++slot) f(slot, proc::process(slot));
}
int pid_of(const proc::ProcessEntry& entry) { return entry.pid.load(std::memory_order_relaxed); }

void ps(RpcCall& call) {
    for_each_process([&](int, const proc::ProcessEntry& entry) {
        call.add(pid_of(entry));
        call.add(entry.title_text());
    });
}

void psx(RpcCall& call) {
    for_each_process([&](int slot, const proc::ProcessEntry& entry) {
        call.add(RpcStruct{{"IDX", slot},
                           {"PID", pid_of(entry)},
                           {"DSC", entry.title_text()},
                           {"INC", static_cast<int64_t>(entry.incarnation.load())},
                           {"UPT", clock::unix_seconds() - entry.started_unix.load()}});
    });
}

// Kamailio's ranks: SIP workers count from 1, the others have fixed negative numbers.
int rank_of(const proc::ProcessEntry& entry, int& sip_workers) {
    switch (entry.kind) {
    case ProcessKind::udp_worker:
    case ProcessKind::tcp_worker: return ++sip_workers;
    case ProcessKind::timer: return -1;
    case ProcessKind::rpc: return -2;
    case ProcessKind::tcp_main: return -4;
    default: return 0;
    }
}

void psa(RpcCall& call) {
    int sip_workers = 0;
    for_each_process([&](int slot, const proc::ProcessEntry& entry) {
        const bool running = entry.status.load(std::memory_order_relaxed) == proc::ProcessStatus::running;
        call.add(RpcStruct{{"index", slot},
                           {"pid", pid_of(entry)},
                           {"status", running ? 1 : 0},
                           {"rank", rank_of(entry, sip_workers)},
                           {"description", entry.title_text()}});
    });
}

void kill_server(RpcCall& call) {
    const auto signal = call.next_int_or(SIGTERM);
    if (!signal) return;
    if (*signal < 0 || *signal >= NSIG) return call.fault(400, fmt::format("signal {} does not exist", *signal));
    if (proc::process_count() == 0) return call.fault(500, "there is no supervisor");
    const int supervisor = pid_of(proc::process(0));
    if (supervisor <= 1 || ::kill(supervisor, static_cast<int>(*signal)) != 0)
        call.fault(500, errno_error("could not signal the supervisor", errno).text());
}

void drain(RpcCall& call) {
    const auto seconds = call.next_int_or(proc::settings.exit_timeout);
    if (!seconds) return;
    if (*seconds < 0 || *seconds > 3600) return call.fault(400, "seconds are not between 0 and 3600");
    if (proc::process_count() == 0) return call.fault(500, "there is no supervisor");
    if (*seconds > 0) proc::set_stop_patience(*seconds * 1000);
    const auto connections = static_cast<int64_t>(net::open_connections());
    proc::begin_draining();
    if (::kill(pid_of(proc::process(0)), SIGTERM) != 0)
        return call.fault(500, errno_error("could not signal the supervisor", errno).text());
    call.add(RpcStruct{{"seconds", *seconds}, {"connections", connections}});
}

std::string last_death(const proc::ProcessEntry& entry) {
    if (entry.last_death_unix.load() == 0) return "";
    const int status = entry.last_wait_status.load();
    return fmt::format("{} {} {} {}", clock::local_text(entry.last_death_unix.load()),
                       proc::name_of(entry.last_cause.load()), WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void deaths(RpcCall& call) {
    for_each_process([&](int slot, const proc::ProcessEntry& entry) {
        const int64_t up = clock::unix_seconds() - entry.started_unix.load();
        call.add(RpcStruct{{"IDX", slot},
                           {"PID", pid_of(entry)},
                           {"DSC", entry.title_text()},
                           {"INC", static_cast<int64_t>(entry.incarnation.load())},
                           {"UPT", up},
                           {"LAST", last_death(entry)}});
    });
}

void debug(RpcCall& call) {
    IntSetting& level = proc::settings.debug;
    const int64_t old = level;
    if (!call.more()) return call.add(RpcStruct{{"debug", old}});
    const auto wanted = call.next_int();
    if (!wanted) return;
    if (*wanted < -5 || *wanted > 3)
        return call.fault(400, fmt::format("debug level {} is not between -5 and 3", *wanted));
    level.set(*wanted);
    call.add(RpcStruct{{"old", old}, {"new", *wanted}});
}

constexpr Command kCommands[] = {
    {"core.ps", "", "Lists process numbers and titles, by turns.", ps},
    {"core.psx", "", "Lists the processes: index, number, title, incarnation, seconds they run.", psx},
    {"core.psa", "", "Lists the processes with status (1: running) and rank.", psa},
    {"core.kill", "[signal]", "Sends a signal, SIGTERM unless given, to the supervisor.", kill_server},
    {"core.drain", "[seconds]",
     "Stops the server: no new connections and calls (503); requests and calls being set up may be finished within the "
     "time given, or exit_timeout.",
     drain},
    {"core.deaths", "", "Lists the processes with incarnation, seconds they run, and what their predecessor died of.",
     deaths},
    {"corex.debug", "[level]", "Returns the log level, or changes that of all processes.", debug},
};

}  // namespace

std::span<const Command> process_commands() { return kCommands; }

}  // namespace kahu::rpc
