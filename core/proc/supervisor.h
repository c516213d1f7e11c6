// core/proc/supervisor.h -- forks the processes, waits, and replaces those that die or hang.
//
// WHY    It must be a process that cannot break: it touches nothing in the segment that a crash
//        could have damaged, takes no lock there and never calls OpenSSL after start.
// LIVES  The list of what to run is private memory, made before the first fork.
// FAILS  run_supervisor() returns the exit status: 0 after SIGTERM or SIGINT, 1 when it could not go on, kFreshSegment
//        (core/proc/guardian.h) when the segment cannot be trusted: a heap walk after a crash found damage, or
//        processes die again and again (core/proc/deaths.h).
#pragma once
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/module/descriptor.h"
#include "mem/recover.h"

namespace kahu::proc {

// A kind of process: one row of the table in core/app/server.cpp.
struct Role {
    ProcessKind kind;
    // Returns when it was asked to stop; the value is the exit status.
    int (*run)(int slot);
};

struct Hatchery {
    std::span<const Role> roles;
    // In the supervisor after a process died and its slot was recovered, before its successor is forked.
    void (*after_death)(int slot, const mem::RecoveryReport& found) = nullptr;
    // Once, when all processes run.
    void (*ready)() = nullptr;
    // SIGUSR1: log statistics.  SIGHUP was passed on to the children already.
    void (*statistics)() = nullptr;
    // Bytes of the segment that deaths have cost; nullptr: none.  Looked at after each death.
    int64_t (*leaked_bytes)() = nullptr;
    // Once, before the processes are asked to stop for good.
    void (*stopping)() = nullptr;
    // Where crash files go.
    std::string crash_directory;
};

// Blocks the signals that run() waits for; call before anything is forked.
void block_supervisor_signals();
int run_supervisor(const Hatchery& hatchery);

}  // namespace kahu::proc
