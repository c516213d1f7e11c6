#include "core/proc/daemon.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <vector>

#include "core/base/fd.h"
#include "core/base/text.h"

namespace kahu::proc {
namespace {
int g_ready_pipe = -1;
std::vector<std::string> g_pid_files;

// Parent of the daemon: waits for one byte (ready) or the end of the pipe (it died).
[[noreturn]] void wait_for_daemon(int from, pid_t daemon) {
    char byte = 0;
    ssize_t got = 0;
    while ((got = ::read(from, &byte, 1)) < 0 && errno == EINTR) {
    }
    if (got == 1) ::_exit(0);
    int status = 0;
    ::waitpid(daemon, &status, 0);
    ::_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}
}  // namespace

Status go_to_background() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("could not make a pipe", errno);
    const pid_t pid = ::fork();
    if (pid < 0) return errno_error("could not fork into the background", errno);
    if (pid > 0) {
        ::close(ends[1]);
        wait_for_daemon(ends[0], pid);
    }
    ::close(ends[0]);
    g_ready_pipe = ends[1];
    ::setsid();
    return {};
}

void leave_terminal(bool keep_stderr) {
    if (g_ready_pipe < 0) return;
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (null) {
        ::dup2(null.get(), STDIN_FILENO);
        ::dup2(null.get(), STDOUT_FILENO);
        if (!keep_stderr) ::dup2(null.get(), STDERR_FILENO);
    }
}

void report_ready(bool keep_stderr) {
    if (g_ready_pipe < 0) return;
    leave_terminal(keep_stderr);
    const char ready = 1;
    (void)!::write(g_ready_pipe, &ready, 1);
    ::close(g_ready_pipe);
    g_ready_pipe = -1;
}

namespace {
Status write_id_file(const std::string& path, pid_t id) {
    ::unlink(path.c_str());  // never written through a link that somebody else put there
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) {
        Error error = errno_error("could not create pid file " + path, errno);
        error.hint = "does its directory exist, and may we write there? -P or pid_file names another one";
        return error;
    }
    const std::string line = std::to_string(id) + "\n";
    if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return errno_error("could not write pid file " + path, errno);
    g_pid_files.push_back(path);
    return {};
}
}  // namespace

Status write_pid_file(const std::string& path) {
    if (std::ifstream old(path); old) {
        pid_t pid = 0;
        if (old >> pid && pid > 1 && pid != ::getpid() && (::kill(pid, 0) == 0 || errno == EPERM))
            return Error{Errc::exists, "pid file " + path + " names the running process " + std::to_string(pid),
                         "is another instance running? Stop it, or remove the file if that process is something else"};
    }
    return write_id_file(path, ::getpid());
}
Status write_group_pid_file(const std::string& path) { return write_id_file(path, ::getpgrp()); }
void remove_pid_file() {
    for (const std::string& path : g_pid_files) ::unlink(path.c_str());
    g_pid_files.clear();
}

namespace {
Result<uid_t> user_id(const std::string& user, gid_t& primary_group) {
    if (const passwd* entry = ::getpwnam(user.c_str())) {
        primary_group = entry->pw_gid;
        return entry->pw_uid;
    }
    if (const auto number = text::to_int(user); number && *number >= 0) return static_cast<uid_t>(*number);
    return Error{Errc::not_found, "no such user: " + user, "create it, or give another one with -u"};
}
Result<gid_t> group_id(const std::string& group) {
    if (const ::group* entry = ::getgrnam(group.c_str())) return entry->gr_gid;
    if (const auto number = text::to_int(group); number && *number >= 0) return static_cast<gid_t>(*number);
    return Error{Errc::not_found, "no such group: " + group, "create it, or give another one with -g"};
}

struct Ids {
    uid_t uid = static_cast<uid_t>(-1);  // -1: stays as it is
    gid_t gid = static_cast<gid_t>(-1);
};
Result<Ids> find_ids(const Identity& wanted) {
    Ids ids;
    if (!wanted.user.empty()) {
        auto id = user_id(wanted.user, ids.gid);
        if (!id) return std::move(id).error();
        ids.uid = *id;
    }
    if (!wanted.group.empty()) {
        auto id = group_id(wanted.group);
        if (!id) return std::move(id).error();
        ids.gid = *id;
    }
    return ids;
}
}  // namespace

Status check_identity(const Identity& wanted) {
    gid_t ignored = 0;
    if (!wanted.user.empty())
        if (auto id = user_id(wanted.user, ignored); !id) return std::move(id).error();
    if (!wanted.group.empty())
        if (auto id = group_id(wanted.group); !id) return std::move(id).error();
    for (const std::string* directory : {&wanted.chroot, &wanted.workdir})
        if (!directory->empty() && ::access(directory->c_str(), X_OK) != 0)
            return errno_error("could not use directory " + *directory, errno);
    return {};
}

Status give_to(const Identity& wanted, const std::string& path) {
    const auto ids = find_ids(wanted);
    if (!ids) return ids.error();
    if (ids->uid == ::geteuid() && ids->gid == ::getegid()) return {};
    if (::lchown(path.c_str(), ids->uid, ids->gid) != 0)
        return errno_error("could not give " + path + " to user " + wanted.user, errno);
    return {};
}

Status take_identity(const Identity& wanted) {
    const auto ids = find_ids(wanted);
    if (!ids) return ids.error();
    const auto [uid, gid] = *ids;
    if (!wanted.chroot.empty() && (::chroot(wanted.chroot.c_str()) != 0 || ::chdir("/") != 0))
        return errno_error("could not change root to " + wanted.chroot, errno);
    if (!wanted.workdir.empty() && ::chdir(wanted.workdir.c_str()) != 0)
        return errno_error("could not change to directory " + wanted.workdir, errno);
    if (gid != static_cast<gid_t>(-1)) {
        if (::setgid(gid) != 0) return errno_error("could not become group " + std::to_string(gid), errno);
        if (!wanted.user.empty() && ::getuid() == 0 && ::initgroups(wanted.user.c_str(), gid) != 0)
            return errno_error("could not take the groups of " + wanted.user, errno);
    }
    if (uid != static_cast<uid_t>(-1) && ::setuid(uid) != 0)
        return errno_error("could not become user " + wanted.user, errno);
    return {};
}

size_t raise_open_files(size_t wanted) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (wanted > limit.rlim_cur) {
        rlimit more = limit;
        more.rlim_cur = wanted;
        if (more.rlim_max < wanted) more.rlim_max = wanted;
        if (::setrlimit(RLIMIT_NOFILE, &more) != 0) {
            more = limit;
            more.rlim_cur = limit.rlim_max;
            ::setrlimit(RLIMIT_NOFILE, &more);
        }
        ::getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

void allow_locked_pages() {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

bool lock_pages() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY) return false;
    return ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;  // what is used: not the whole segment
}

void set_core_dumps(bool on) {
    if (on) {
        ::prctl(PR_SET_DUMPABLE, 1);  // setuid() cleared it
        return;
    }
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace kahu::proc
