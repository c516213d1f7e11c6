#include "core/proc/supervisor.h"

#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/proc/child.h"
#include "core/proc/process_table.h"
#include "core/proc/settings.h"
#include "mem/recover.h"
#include "mem/slot.h"

namespace kahu::proc {
namespace {

constexpr int kWaitedFor[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};
// A process that dies this often is broken, not unlucky.
constexpr int kDeathsBeforeGivingUp = 20;
constexpr clock::Millis kDeathWindow = 10'000;

class Supervisor {
  public:
    explicit Supervisor(const Hatchery& hatchery) : hatchery_(hatchery) {}

    int run() {
        for (int slot = 1; slot < process_count(); ++slot)
            if (!start(slot)) return stop(1);
        if (hatchery_.ready) hatchery_.ready();
        ::sd_notify(0, "READY=1");
        for (;;) {
            const int number = wait_for_signal();
            if (number == SIGTERM || number == SIGINT || number == SIGQUIT) return stop(0);
            if (number == SIGHUP) {
                log::reopen();
                tell_children(SIGHUP);
            }
            if (number == SIGUSR1 && hatchery_.statistics) hatchery_.statistics();
            if (number == SIGCHLD && !bury_and_replace()) return stop(1);
        }
    }

  private:
    bool start(int slot) {
        ProcessEntry& entry = process(slot);
        entry.status.store(ProcessStatus::starting);
        entry.incarnation.fetch_add(1);
        entry.started_unix.store(clock::unix_seconds());
        const pid_t pid = ::fork();
        if (pid < 0) {
            LOG(critical, "process.fork_failed", kv("title", entry.title_text()), kv("reason", std::strerror(errno)));
            return false;
        }
        if (pid == 0) run_child(slot);
        pids_[static_cast<size_t>(slot)] = pid;
        entry.pid.store(pid);
        return true;
    }

    [[noreturn]] void run_child(int slot) {
        enter_child(slot);
        ProcessEntry& entry = process(slot);
        entry.pid.store(::getpid());
        entry.status.store(ProcessStatus::running);
        int status = 1;
        for (const Role& role : hatchery_.roles)
            if (role.kind == entry.kind) status = role.run(slot);
        entry.status.store(ProcessStatus::stopping);
        ::_exit(status);  // exit() would run destructors and handlers of state that others still use
    }

    static int wait_for_signal() {
        sigset_t set;
        sigemptyset(&set);
        for (const int number : kWaitedFor) sigaddset(&set, number);
        for (;;) {
            const int number = ::sigwaitinfo(&set, nullptr);
            if (number > 0) return number;
        }
    }

    void tell_children(int number) {
        for (int slot = 1; slot < process_count(); ++slot)
            if (const pid_t pid = pids_[static_cast<size_t>(slot)]; pid > 0) ::kill(pid, number);
    }

    int slot_of(pid_t pid) const {
        for (int slot = 1; slot < process_count(); ++slot)
            if (pids_[static_cast<size_t>(slot)] == pid) return slot;
        return -1;
    }

    // False: give up.
    bool bury_and_replace() {
        int wait_status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &wait_status, WNOHANG)) > 0;) {
            const int slot = slot_of(pid);
            if (slot < 0) continue;  // a grandchild adopted by us
            pids_[static_cast<size_t>(slot)] = 0;
            report(slot, pid, wait_status);
            const mem::RecoveryReport found = mem::recover_slot(slot);
            process(slot).status.store(ProcessStatus::dead);
            LOG(notice, "process.recovered", kv("title", process(slot).title_text()),
                kv("read_locks", found.readers_released), kv("write_locks", found.writers_released),
                kv("heap_sane", found.heap_sane));
            if (hatchery_.after_death) hatchery_.after_death(slot, found);
            if (!settings.worker_restart || !found.heap_sane || too_many_deaths()) return false;
            if (!start(slot)) return false;
        }
        return true;
    }

    static void report(int slot, pid_t pid, int wait_status) {
        const std::string_view title = process(slot).title_text();
        if (WIFSIGNALED(wait_status))
            LOG(critical, "process.died", kv("title", title), kv("pid", pid), kv("signal", WTERMSIG(wait_status)),
                kv("core", WCOREDUMP(wait_status) ? "yes" : "no"));
        else LOG(critical, "process.died", kv("title", title), kv("pid", pid), kv("status", WEXITSTATUS(wait_status)));
    }

    bool too_many_deaths() {
        const clock::Millis now = clock::read();
        deaths_[next_death_++ % deaths_.size()] = now;
        const clock::Millis oldest = deaths_[next_death_ % deaths_.size()];
        if (oldest == 0 || now - oldest > kDeathWindow) return false;
        LOG(critical, "server.giving_up", kv("reason", "processes die again and again"),
            kv("deaths", kDeathsBeforeGivingUp), kv("within_seconds", kDeathWindow / 1000));
        return true;
    }

    bool reap_all() {
        for (pid_t pid = 0; (pid = ::waitpid(-1, nullptr, WNOHANG)) > 0;)
            if (const int slot = slot_of(pid); slot > 0) pids_[static_cast<size_t>(slot)] = 0;
        for (int slot = 1; slot < process_count(); ++slot)
            if (pids_[static_cast<size_t>(slot)] > 0) return false;
        return true;
    }

    int stop(int status) {
        ::sd_notify(0, "STOPPING=1");
        tell_children(SIGTERM);
        const clock::Millis patience = settings.exit_timeout == 0 ? INT64_MAX / 2 : settings.exit_timeout * 1000;
        const clock::Millis deadline = clock::read() + patience;
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        while (!reap_all()) {
            const timespec brief{0, 100'000'000};
            ::sigtimedwait(&child, nullptr, &brief);
            if (clock::read() < deadline) continue;
            LOG(critical, "server.killing", kv("reason", "processes did not end within exit_timeout"));
            tell_children(SIGKILL);
            while (!reap_all()) ::sigtimedwait(&child, nullptr, &brief);
        }
        return status;
    }

    const Hatchery& hatchery_;
    std::array<pid_t, mem::kMaxSlots> pids_{};
    std::array<clock::Millis, kDeathsBeforeGivingUp> deaths_{};
    size_t next_death_ = 0;
};

}  // namespace

void block_supervisor_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : kWaitedFor) sigaddset(&set, number);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, nullptr);
}

int run_supervisor(const Hatchery& hatchery) { return Supervisor(hatchery).run(); }

}  // namespace kahu::proc
