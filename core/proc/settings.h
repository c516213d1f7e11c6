// core/proc/settings.h -- parameters of the server as a set of processes: identity, paths, memory, log.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::proc {

struct Settings {
    IntSetting debug{0};  // log level (core/base/log.h)
    IntSetting log_stderror{0};
    TextSetting log_facility{"LOG_DAEMON"};
    TextSetting log_name{""};
    IntSetting fork{1};
    TextSetting user{""}, group{""}, workdir{""}, chroot{""}, rundir{""}, pid_file{""};
    IntSetting exit_timeout{5};  // seconds
    IntSetting shm_mem_size{0};  // MB; 0: -m or the default
    IntSetting open_files_limit{0};
    IntSetting disable_core_dump{0};
    IntSetting mlock_pages{0};
    IntSetting shm_force_alloc{0};
    IntSetting worker_restart{1};
    IntSetting worker_watchdog{10};  // seconds; 0: off
    IntSetting batch_scheduling{1};
    TextSetting crash_dir{""};  // empty: rundir
    IntSetting crash_files{20};
    IntSetting crash_limit{5};       // in ten seconds; 0: off
    IntSetting leak_restart_mb{-1};  // 0: off; -1: a quarter of the segment
};
extern Settings settings;

std::span<const Param> proc_params();
// The syslog(3) constant for "LOG_LOCAL0"; -1 if there is none of that name.
int syslog_facility(std::string_view name);

}  // namespace kahu::proc
