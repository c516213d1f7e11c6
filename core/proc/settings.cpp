#include "core/proc/settings.h"

#include <syslog.h>

#include "core/base/text.h"

namespace kahu::proc {

Settings settings;

namespace {
struct Facility {
    std::string_view name;
    int value;
};
constexpr Facility kFacilities[] = {
    {"LOG_AUTH", LOG_AUTH},     {"LOG_CRON", LOG_CRON},         {"LOG_DAEMON", LOG_DAEMON}, {"LOG_KERN", LOG_KERN},
    {"LOG_LPR", LOG_LPR},       {"LOG_MAIL", LOG_MAIL},         {"LOG_NEWS", LOG_NEWS},     {"LOG_USER", LOG_USER},
    {"LOG_UUCP", LOG_UUCP},     {"LOG_LOCAL0", LOG_LOCAL0},     {"LOG_LOCAL1", LOG_LOCAL1}, {"LOG_LOCAL2", LOG_LOCAL2},
    {"LOG_LOCAL3", LOG_LOCAL3}, {"LOG_LOCAL4", LOG_LOCAL4},     {"LOG_LOCAL5", LOG_LOCAL5}, {"LOG_LOCAL6", LOG_LOCAL6},
    {"LOG_LOCAL7", LOG_LOCAL7}, {"LOG_AUTHPRIV", LOG_AUTHPRIV}, {"LOG_FTP", LOG_FTP},       {"LOG_SYSLOG", LOG_SYSLOG},
};

Status accept_facility(const ParamValue& value) {
    const auto* name = std::get_if<std::string>(&value);
    if (name && syslog_facility(*name) >= 0) return {};
    return Error{Errc::invalid, "log_facility is not a syslog facility",
                 "use LOG_DAEMON, LOG_USER or LOG_LOCAL0 to LOG_LOCAL7"};
}

using enum ParamKind;
// clang-format off
const Param kParams[] = {
    {.name = "debug", .number = &settings.debug, .min = -5, .max = 3,
     .help = "What is logged: -1 errors, 0 warnings too, 1 notices, 2 information, 3 everything.", .applies = Applies::at_runtime},
    {.name = "log_stderror", .kind = boolean, .number = &settings.log_stderror, .help = "Logs to standard error instead of syslog."},
    {.name = "log_facility", .kind = text, .text = &settings.log_facility, .accept = accept_facility, .help = "Syslog facility."},
    {.name = "log_name", .kind = text, .text = &settings.log_name, .help = "Program name in log lines; empty takes the program's own."},
    {.name = "fork", .kind = boolean, .number = &settings.fork, .help = "no stays in the foreground (-D); worker processes are made all the same."},
    {.name = "user", .kind = text, .text = &settings.user, .help = "User to run as once the sockets are open (-u)."},
    {.name = "uid", .kind = text, .text = &settings.user, .help = "The same as user."},
    {.name = "group", .kind = text, .text = &settings.group, .help = "Group to run as once the sockets are open (-g)."},
    {.name = "gid", .kind = text, .text = &settings.group, .help = "The same as group."},
    {.name = "workdir", .kind = text, .text = &settings.workdir, .help = "Working directory (-w)."},
    {.name = "wdir", .kind = text, .text = &settings.workdir, .help = "The same as workdir."},
    {.name = "chroot", .kind = text, .text = &settings.chroot, .help = "Root directory to change to after start (-t)."},
    {.name = "rundir", .kind = text, .text = &settings.rundir, .help = "Directory of control sockets and FIFOs (-Y)."},
    {.name = "run_dir", .kind = text, .text = &settings.rundir, .help = "The same as rundir."},
    {.name = "pid_file", .kind = text, .text = &settings.pid_file, .help = "File that the supervisor's process id is written to (-P)."},
    {.name = "exit_timeout", .number = &settings.exit_timeout, .min = 0, .max = 3600, .unit = "seconds",
     .help = "Time for the processes to end after SIGTERM before they are killed; 0 waits for ever."},
    {.name = "ser_kill_timeout", .number = &settings.exit_timeout, .min = 0, .max = 3600, .unit = "seconds", .help = "The same as exit_timeout."},
    {.name = "shm_mem_size", .number = &settings.shm_mem_size, .min = 0, .max = 1 << 20, .unit = "MB",
     .help = "Size of the shared segment's heap; 0 takes 1024, of which pages are taken from the system when they are needed. The -m option goes before it."},
    {.name = "shm", .number = &settings.shm_mem_size, .min = 0, .max = 1 << 20, .unit = "MB", .help = "The same as shm_mem_size."},
    {.name = "shm_mem", .number = &settings.shm_mem_size, .min = 0, .max = 1 << 20, .unit = "MB", .help = "The same as shm_mem_size."},
    {.name = "open_files_limit", .number = &settings.open_files_limit, .min = 0, .max = 1 << 24,
     .help = "Limit of open files; 0 raises it as far as the connections configured need and the system allows."},
    {.name = "disable_core_dump", .kind = boolean, .number = &settings.disable_core_dump, .help = "Writes no core files."},
    {.name = "mlock_pages", .kind = boolean, .number = &settings.mlock_pages,
     .help = "Keeps the memory of all processes, keys among it, out of the swap space; needs root at start, or the limit of locked memory raised."},
    {.name = "shm_force_alloc", .kind = boolean, .number = &settings.shm_force_alloc,
     .help = "Takes all memory of the segment at start, so that the machine cannot be short of it later."},
    {.name = "worker_restart", .kind = boolean, .number = &settings.worker_restart,
     .help = "A process that died is replaced; no ends the server instead, as Kamailio does."},
    {.name = "worker_watchdog", .number = &settings.worker_watchdog, .min = 0, .max = 3600, .unit = "seconds",
     .help = "A process that hangs for so long is ended and replaced; the one that serves RPC gets six times as long. 0 is off.", .applies = Applies::at_runtime},
    {.name = "batch_scheduling", .kind = boolean, .number = &settings.batch_scheduling,
     .help = "Workers are scheduled as batch work (SCHED_BATCH): one that wakes waits until the one at work has finished its turn, which saves most switches between processes. no gives each message the processor at once."},
    {.name = "leak_restart_mb", .number = &settings.leak_restart_mb, .min = -1, .max = 1 << 20, .unit = "MB",
     .help = "All processes restart on a fresh segment when connections that were lost with their workers hold so much of this one; 0 is off, -1 a quarter of the segment.", .applies = Applies::at_runtime},
    {.name = "crash_limit", .number = &settings.crash_limit, .min = 0, .max = 100,
     .help = "All processes restart on a fresh segment when so many of them crash within ten seconds; 0 is off, and a bug that anybody can reach then costs one connection each time, for as long as it is used.", .applies = Applies::at_runtime},
    {.name = "crash_dir", .kind = text, .text = &settings.crash_dir, .help = "Directory of crash files; the run directory unless given."},
    {.name = "crash_files", .number = &settings.crash_files, .min = 1, .max = 1000, .help = "Crash files that are kept, the newest ones."},
};
// clang-format on

}  // namespace

std::span<const Param> proc_params() { return kParams; }

int syslog_facility(std::string_view name) {
    for (const Facility& facility : kFacilities)
        if (text::iequals(facility.name, name)) return facility.value;
    return -1;
}

}  // namespace kahu::proc
