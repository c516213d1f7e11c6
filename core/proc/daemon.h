// core/proc/daemon.h -- into the background, but only once the start has succeeded.
//
// WHY    "kahu -f x && echo started" must be true: the command waits until the daemon says that it runs,
//        and what goes wrong before that is still printed on the caller's terminal.
// FAILS  go_to_background() returns in the daemon only.  The waiting parent exits with what report_ready() or the
//        daemon's early death told it: 0 or the daemon's exit status.
#pragma once
#include <string>

#include "core/base/result.h"

namespace kahu::proc {

Status go_to_background();
// In the daemon, before it forks others: gives up the terminal unless `keep_stderr`.  No effect in the foreground.
void leave_terminal(bool keep_stderr);
// In the daemon: lets the waiting parent exit with 0, and gives up the terminal unless `keep_stderr`.  No effect in
// the foreground.
void report_ready(bool keep_stderr);

// Writes the pid file, refusing if it names a process that lives.  The file goes with remove_pid_file().
Status write_pid_file(const std::string& path);
// The process group's id, for -G.
Status write_group_pid_file(const std::string& path);
void remove_pid_file();  // both

// chroot, group, user, in this order; empty ones are left as they are.  "name" or number.
struct Identity {
    std::string user, group, chroot, workdir;
};
Status check_identity(const Identity& wanted);  // the names exist
Status take_identity(const Identity& wanted);
// Makes the user and group own what was made before take_identity(); nothing if none is named.
Status give_to(const Identity& wanted, const std::string& path);

// Raises the limit of open files; what was reached.  wanted 0: leave it.
size_t raise_open_files(size_t wanted);
// Core files: keys must not reach them; the segment is excluded (MADV_DONTDUMP), `off` writes none at all.
void set_core_dumps(bool on);
// mlock_pages: the first while there are privileges, for all that are forked; then the other in each process.  False:
// the limit of locked memory (RLIMIT_MEMLOCK) is not unlimited, and a lock could make later allocations fail.
void allow_locked_pages();
bool lock_pages();

}  // namespace kahu::proc
