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
     .help = "Size of the shared segment's heap; the -m option goes before it."},
    {.name = "shm", .number = &settings.shm_mem_size, .min = 0, .max = 1 << 20, .unit = "MB", .help = "The same as shm_mem_size."},
    {.name = "open_files_limit", .number = &settings.open_files_limit, .min = 0, .max = 1 << 24,
     .help = "Limit of open files; 0 raises it as far as the connections configured need and the system allows."},
    {.name = "disable_core_dump", .kind = boolean, .number = &settings.disable_core_dump, .help = "Writes no core files."},
    {.name = "worker_restart", .kind = boolean, .number = &settings.worker_restart,
     .help = "A process that died is replaced; no ends the server instead, as Kamailio does."},
};

#define KAHU_ACCEPTED(name_, kind_, why_) {.name = name_, .kind = kind_, .help = "Accepted for compatibility.", .remark = why_}
const Param kAccepted[] = {
    KAHU_ACCEPTED("memdbg", integer, ""),
    KAHU_ACCEPTED("memlog", integer, ""),
    KAHU_ACCEPTED("mem_join", integer, ""),
    KAHU_ACCEPTED("mem_safety", integer, ""),
    KAHU_ACCEPTED("mem_summary", integer, ""),
    KAHU_ACCEPTED("mem_add_size", integer, ""),
    KAHU_ACCEPTED("mlock_pages", boolean, "has no effect yet"),
    KAHU_ACCEPTED("shm_force_alloc", boolean, "has no effect: pages are taken when they are needed"),
    KAHU_ACCEPTED("log_engine_type", text, "has no effect: log_stderror chooses between standard error and syslog"),
    KAHU_ACCEPTED("log_engine_data", text, "has no effect"),
    KAHU_ACCEPTED("log_color", boolean, "has no effect"),
    KAHU_ACCEPTED("log_prefix_mode", integer, ""),
    KAHU_ACCEPTED("async_workers", integer, "has no effect: no function of this version needs them"),
    KAHU_ACCEPTED("async_workers_group", text, "has no effect: no function of this version needs them"),
    KAHU_ACCEPTED("fork_delay", integer, "has no effect: starting needs no delay"),
    KAHU_ACCEPTED("modinit_delay", integer, "has no effect: starting needs no delay"),
    KAHU_ACCEPTED("wait_worker1_mode", integer, "has no effect"),
    KAHU_ACCEPTED("wait_worker1_time", integer, "has no effect"),
    KAHU_ACCEPTED("wait_worker1_usleep", integer, "has no effect"),
    KAHU_ACCEPTED("rpc_exec_delta", integer, "has no effect: commands are safe at any rate"),
    KAHU_ACCEPTED("real_time", integer, "has no effect yet"),
    KAHU_ACCEPTED("rt_prio", integer, "has no effect yet"),
    KAHU_ACCEPTED("rt_policy", integer, "has no effect yet"),
    KAHU_ACCEPTED("rt_timer1_prio", integer, "has no effect yet"),
    KAHU_ACCEPTED("server_id", integer, "has no effect yet"),
    KAHU_ACCEPTED("version_table", text, "has no effect yet"),
    KAHU_ACCEPTED("check_via", boolean, "has no effect"),
    KAHU_ACCEPTED("dns", boolean, "has no effect yet"),
    KAHU_ACCEPTED("use_dns_cache", boolean, "has no effect yet"),
    KAHU_ACCEPTED("use_dns_failover", boolean, "has no effect yet"),
    KAHU_ACCEPTED("use_dst_blocklist", boolean, "has no effect yet"),
    KAHU_ACCEPTED("use_dst_blacklist", boolean, "has no effect yet"),
    KAHU_ACCEPTED("dns_try_ipv6", boolean, "has no effect yet"),
    KAHU_ACCEPTED("dns_try_naptr", boolean, "has no effect yet"),
    KAHU_ACCEPTED("dns_srv_lb", boolean, "has no effect yet"),
    KAHU_ACCEPTED("dns_retr_time", integer, "has no effect yet"),
    KAHU_ACCEPTED("dns_retr_no", integer, "has no effect yet"),
    KAHU_ACCEPTED("dns_use_search_list", boolean, "has no effect yet"),
};
#undef KAHU_ACCEPTED
// clang-format on

std::vector<Param> all_params() {
    std::vector<Param> rows(std::begin(kParams), std::end(kParams));
    rows.insert(rows.end(), std::begin(kAccepted), std::end(kAccepted));
    return rows;
}
}  // namespace

std::span<const Param> proc_params() {
    static const std::vector<Param> rows = all_params();
    return rows;
}

int syslog_facility(std::string_view name) {
    for (const Facility& facility : kFacilities)
        if (text::iequals(facility.name, name)) return facility.value;
    return -1;
}

}  // namespace kahu::proc
