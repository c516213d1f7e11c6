#include "core/proc/deaths.h"

#include <sys/wait.h>

#include <csignal>

#include "core/stats/counters.h"

namespace kahu::proc {

DeathCounters death_counters;

namespace {
using enum CounterKind;
constexpr size_t at(Cause cause) { return static_cast<size_t>(cause); }
constexpr size_t at(ProcessKind kind) { return static_cast<size_t>(kind); }
uint16_t* restarts(ProcessKind kind) { return &death_counters.restarts[at(kind)]; }
uint16_t* deaths(Cause cause) { return &death_counters.deaths[at(cause)]; }

// clang-format off
const Counter kCounters[] = {
    {"process", "deaths_killed", counter, "Processes that were killed from outside.", deaths(Cause::killed)},
    {"process", "deaths_crashed", counter, "Processes that crashed.", deaths(Cause::crashed)},
    {"process", "deaths_exited", counter, "Processes that ended by themselves.", deaths(Cause::exited)},
    {"process", "deaths_hung", counter, "Processes that the watchdog ended.", deaths(Cause::hung)},
    {"process", "restarts_udp_worker", counter, "UDP workers that were replaced.", restarts(ProcessKind::udp_worker)},
    {"process", "restarts_tcp_worker", counter, "TCP workers that were replaced.", restarts(ProcessKind::tcp_worker)},
    {"process", "restarts_tcp_main", counter, "How often tcp main was replaced.", restarts(ProcessKind::tcp_main)},
    {"process", "restarts_timer", counter, "How often the timer process was replaced.", restarts(ProcessKind::timer)},
    {"process", "restarts_rpc", counter, "How often the rpc process was replaced.", restarts(ProcessKind::rpc)},
    {"process", "poisoned_locks", counter, "Locks whose writer died while it held them.", &death_counters.poisoned_locks},
    {"process", "released_read_locks", counter, "Locks whose reader died while it held them.", &death_counters.released_read_locks},
    {"process", "crash_files", counter, "Crash files written.", &death_counters.crash_files},
    {"process", "heap_walks", counter, "Checks of the segment's heap after crashes.", &death_counters.heap_walks},
    {"process", "fresh_segments", counter, "Restarts of all processes on a fresh segment.", &death_counters.fresh_segments},
};
// clang-format on
}  // namespace

std::string_view name_of(Cause cause) {
    constexpr std::string_view kNames[] = {"killed", "crashed", "exited", "hung"};
    return cause < Cause::count_ ? kNames[at(cause)] : "?";
}
std::string_view name_of(ProcessKind kind) {
    constexpr std::string_view kNames[] = {"supervisor", "udp_worker", "tcp_worker", "timer", "rpc", "tcp_main"};
    static_assert(std::size(kNames) == static_cast<size_t>(ProcessKind::count_));
    return kind < ProcessKind::count_ ? kNames[at(kind)] : "?";
}

Cause cause_of(int wait_status, bool hung) {
    if (hung) return Cause::hung;
    if (!WIFSIGNALED(wait_status)) return Cause::exited;
    switch (WTERMSIG(wait_status)) {
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
    case SIGALRM:  // a crash whose handler got stuck
    case SIGSYS: return Cause::crashed;
    default: return Cause::killed;
    }
}

bool DeathRate::Recent::add(clock::Millis now, size_t n) {
    at[next++ % at.size()] = now;
    return next >= n && now - at[(next - n) % at.size()] <= kWindow;
}

bool DeathRate::add(Cause cause, clock::Millis now, size_t crash_limit) {
    const bool crash = cause != Cause::killed && crash_limit != 0;
    const bool crashing = crash && crashes_.add(now, std::min(crash_limit, kMostCrashes));
    return deaths_.add(now, kDeaths) || crashing;
}

std::span<const Counter> death_counter_rows() { return kCounters; }
void count_death(ProcessKind kind, Cause cause) {
    stats::add(death_counters.deaths[at(cause)]);
    stats::add(death_counters.restarts[at(kind)]);
}

}  // namespace kahu::proc
