#include "core/proc/supervisor.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/proc/child.h"
#include "core/proc/crash_file.h"
#include "core/proc/deaths.h"
#include "core/proc/guardian.h"
#include "core/proc/process_table.h"
#include "core/proc/settings.h"
#include "core/stats/counters.h"
#include "mem/heap_stats.h"
#include "mem/recover.h"
#include "mem/segment.h"
#include "mem/slot.h"

namespace kahu::proc {
namespace {

constexpr int kWaitedFor[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};
constexpr clock::Millis kTurn = 1000;
constexpr int kGoOn = -1;
// What the rpc process does may take long: a reload builds every certificate's context.
constexpr int64_t kRpcPatience = 6;
constexpr clock::Millis kAbortPatience = 5000;  // for the handler that writes where a process hangs
constexpr rlim_t kWalkSeconds = 5;
constexpr unsigned kLongestWalk = 60;  // seconds of wall time
constexpr clock::Millis kForEver = INT64_MAX / 4;

class Supervisor {
  public:
    explicit Supervisor(const Hatchery& hatchery) : hatchery_(hatchery), pid_(::getpid()) {}

    int run() {
        prepare_crash_files(hatchery_.crash_directory);
        stats::add(death_counters.fresh_segments, fresh_starts());
        for (int slot = 1; slot < process_count(); ++slot)
            if (!start(slot)) return stop(1);
        if (hatchery_.ready) hatchery_.ready();
        tell_guardian(Message::ready);
        for (;;) {
            const int number = wait_for_signal();
            const int status = number > 0 ? handle(number) : kGoOn;
            if (status != kGoOn) return status;
            turn();
        }
    }

  private:
    struct Child {
        pid_t pid = 0;
        clock::Millis started = 0;
        clock::Millis hung_since = 0;  // when the watchdog sent SIGABRT
    };

    int handle(int number) {
        if (number == SIGTERM || number == SIGINT || number == SIGQUIT) return stop(0);
        if (number == SIGHUP) {
            log::reopen();
            tell_children(SIGHUP);
        }
        if (number == SIGUSR1 && hatchery_.statistics) hatchery_.statistics();
        return number == SIGCHLD ? bury_and_replace() : kGoOn;
    }

    bool start(int slot) {
        ProcessEntry& entry = process(slot);
        entry.status.store(ProcessStatus::starting);
        entry.incarnation.fetch_add(1);
        entry.started_unix.store(clock::unix_seconds());
        Child& child = children_[static_cast<size_t>(slot)];
        child = {0, clock::read(), 0};
        entry.turned_ms.store(child.started);
        const pid_t pid = ::fork();
        if (pid < 0) {
            LOG(critical, "process.fork_failed", kv("title", entry.title_text()), kv("reason", std::strerror(errno)));
            return false;
        }
        if (pid == 0) run_child(slot);
        child.pid = pid;
        note_child(slot, pid);
        entry.pid.store(pid);
        if (entry.incarnation.load() > 1)
            LOG(notice, "process.replaced", kv("title", entry.title_text()), kv("pid", pid));
        return true;
    }

    [[noreturn]] void run_child(int slot) {
        enter_child(slot, pid_);
        ProcessEntry& entry = process(slot);
        install_crash_handlers(slot, entry.title_text());
        entry.pid.store(::getpid());
        entry.status.store(ProcessStatus::running);
        int status = 1;
        for (const Role& role : hatchery_.roles)
            if (role.kind == entry.kind) status = role.run(slot);
        entry.status.store(ProcessStatus::stopping);
        ::_exit(status);  // exit() would run destructors and handlers of state that others still use
    }

    // 0: nothing came for a turn.
    static int wait_for_signal() {
        sigset_t set;
        sigemptyset(&set);
        for (const int number : kWaitedFor) sigaddset(&set, number);
        const timespec longest{kTurn / 1000, 0};
        const int number = ::sigtimedwait(&set, nullptr, &longest);
        return number > 0 ? number : 0;
    }

    // --- watchdog -----------------------------------------------------------------------------------
    void turn() {
        const clock::Millis now = clock::read();
        if (now - turned_ < kTurn) return;
        // Late ourselves: the machine stood still, or has no time for anybody.
        const bool late = now - turned_ > 3 * kTurn;
        turned_ = now;
        tell_guardian(Message::turned);
        if (late || settings.worker_watchdog == 0) return;
        for (int slot = 1; slot < process_count(); ++slot)
            if (children_[static_cast<size_t>(slot)].pid > 0) watch(slot, now);
    }
    void watch(int slot, clock::Millis now) {
        Child& child = children_[static_cast<size_t>(slot)];
        const ProcessEntry& entry = process(slot);
        const clock::Millis patience =
            settings.worker_watchdog * 1000 * (entry.kind == ProcessKind::rpc ? kRpcPatience : 1);
        if (child.hung_since != 0) {
            if (now - child.hung_since > kAbortPatience) ::kill(child.pid, SIGKILL);
            return;
        }
        if (now - entry.turned_ms.load(std::memory_order_relaxed) < patience) return;
        LOG(critical, "process.hangs", kv("title", entry.title_text()), kv("pid", child.pid),
            kv("seconds", (now - entry.turned_ms.load()) / 1000));
        child.hung_since = now;
        ::kill(child.pid, SIGABRT);  // its handler writes where it hangs
        ::kill(child.pid, SIGCONT);
    }

    // --- deaths -------------------------------------------------------------------------------------
    void tell_children(int number) {
        for (const Child& child : children_)
            if (child.pid > 0) ::kill(child.pid, number);
    }

    int slot_of(pid_t pid) const {
        for (int slot = 1; slot < process_count(); ++slot)
            if (children_[static_cast<size_t>(slot)].pid == pid) return slot;
        return -1;
    }

    int bury_and_replace() {
        int wait_status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &wait_status, WNOHANG)) > 0;) {
            if (pid == walker_) {
                walker_ = 0;
                if (found_damage(wait_status)) return fresh_segment("the heap is damaged");
                if (wait_status != 0) LOG(error, "segment.not_checked", kv("reason", "the check was ended"));
                continue;
            }
            const int slot = slot_of(pid);
            if (slot < 0) continue;  // a grandchild adopted by us
            const Buried buried = bury(slot, pid, wait_status);
            if (const int status = judge(buried); status != kGoOn) return status;
            if (!start(slot)) return fresh_segment("no process could be made");
        }
        return kGoOn;
    }

    struct Buried {
        Cause cause;
        mem::RecoveryReport found;
    };
    // Nobody waits for what it held any more.
    Buried bury(int slot, pid_t pid, int wait_status) {
        Child& child = children_[static_cast<size_t>(slot)];
        const Cause cause = cause_of(wait_status, child.hung_since != 0);
        child.pid = 0;
        note_child(slot, 0);
        const mem::RecoveryReport found = mem::recover_slot(slot);
        ProcessEntry& entry = process(slot);
        entry.status.store(ProcessStatus::dead);
        entry.last_death_unix.store(clock::unix_seconds());
        entry.last_cause.store(cause);
        entry.last_wait_status.store(wait_status);
        count_death(entry.kind, cause);
        stats::add(death_counters.poisoned_locks, found.writers_released);
        stats::add(death_counters.released_read_locks, found.readers_released);
        if (hatchery_.after_death) hatchery_.after_death(slot, found);
        report(slot, pid, wait_status, cause, found);
        return {cause, found};
    }
    // What its death means for the server.
    int judge(const Buried& buried) {
        const auto& [cause, found] = buried;
        if (!settings.worker_restart) return stopping_ ? end_all(1) : stop(1);
        if (!found.heap_sane) return fresh_segment("the heap's bookkeeping was overwritten");
        if (found.global_writers_released != 0) return fresh_segment("a lock of all processes was held for writing");
        if (rate_.add(cause, clock::read(), static_cast<size_t>(settings.crash_limit.get())))
            return fresh_segment("processes die again and again");
        if (cause == Cause::crashed || cause == Cause::hung) walk_heap_aside();
        return leaks_too_much() ? fresh_segment("lost connections hold too much of the segment") : kGoOn;
    }

    void report(int slot, pid_t pid, int wait_status, Cause cause, const mem::RecoveryReport& found) {
        const bool signalled = WIFSIGNALED(wait_status);
        const bool crashed = cause == Cause::crashed || cause == Cause::hung;
        CrashFile file;
        if (crashed) file = collect_crash_files(slot, pid, static_cast<size_t>(settings.crash_files.get()));
        if (!file.name.empty()) stats::add(death_counters.crash_files);
        LOG(critical, "process.died", kv("title", process(slot).title_text()), kv("pid", pid),
            kv("cause", name_of(cause)),
            kv(signalled ? "signal" : "status", signalled ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status)),
            kv("core", signalled && WCOREDUMP(wait_status) ? "yes" : "no"),
            kv("crash_file", file.name.empty() ? "-" : file.name), kv("read_locks", found.readers_released),
            kv("write_locks", found.writers_released), kv("global_locks", found.global_writers_released),
            kv("heap_sane", found.heap_sane));
        if (crashed && !file.problem.empty())
            LOG(error, "crash_file.incomplete", kv("directory", hatchery_.crash_directory), kv("reason", file.problem));
    }

    bool leaks_too_much() const {
        const int64_t limit = settings.leak_restart_mb;
        if (limit == 0 || !hatchery_.leaked_bytes) return false;
        const auto bytes = limit > 0 ? limit << 20 : static_cast<int64_t>(mem::segment_info().heap_bytes / 4);
        return hatchery_.leaked_bytes() > bytes;
    }

    // In a process of its own, so that whatever it meets cannot hurt us, and nobody waits for it.
    void walk_heap_aside() {
        if (walker_ != 0) return;
        stats::add(death_counters.heap_walks);
        const pid_t pid = ::fork();
        if (pid == 0) {
            // Of processor time: where many wait for a processor a walk takes long, and nothing is damaged.
            const rlimit enough{kWalkSeconds, kWalkSeconds + 1};
            ::setrlimit(RLIMIT_CPU, &enough);
            ::alarm(kLongestWalk);
            ::signal(SIGALRM, SIG_DFL);
            sigset_t none;
            sigemptyset(&none);
            ::sigprocmask(SIG_SETMASK, &none, nullptr);
            const mem::WalkResult found = mem::walk_heap(mem::Others::running);
            if (!found.valid) LOG(critical, "segment.damaged", kv("reason", found.reason));
            ::_exit(found.valid ? 0 : 1);
        }
        walker_ = pid > 0 ? pid : 0;
    }

    // It says so, it crashed on what it met, or it did not come to an end.
    static bool found_damage(int wait_status) {
        if (!WIFSIGNALED(wait_status)) return WEXITSTATUS(wait_status) != 0;
        const int number = WTERMSIG(wait_status);
        return number == SIGXCPU || (number != SIGALRM && cause_of(wait_status, false) == Cause::crashed);
    }

    // Who dies although it was only asked to end may hold a lock that the others need to end.
    enum class Ending : uint8_t { asked, killed };
    bool reap_all(Ending how) {
        int wait_status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &wait_status, WNOHANG)) > 0;) {
            const int slot = slot_of(pid);
            if (slot < 0) continue;
            if (how == Ending::asked && WIFSIGNALED(wait_status)) (void)bury(slot, pid, wait_status);
            children_[static_cast<size_t>(slot)].pid = 0;
            note_child(slot, 0);
        }
        for (const Child& child : children_)
            if (child.pid > 0) return false;
        return true;
    }
    static void wait_for_a_death(clock::Millis most) {
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        const timespec brief{0, most * 1'000'000};
        ::sigtimedwait(&child, nullptr, &brief);
    }
    // False: some are left.
    bool wait_for_all(clock::Millis patience, Ending how) {
        const clock::Millis deadline = clock::read() + patience;
        while (!reap_all(how)) {
            if (clock::read() >= deadline) return false;
            wait_for_a_death(100);
            tell_guardian(Message::turned);
        }
        return true;
    }
    void kill_all() {
        tell_children(SIGKILL);
        (void)wait_for_all(kForEver, Ending::killed);
    }

    // Leaves of the patience what is left, but enough for the processes to close their connections.  Who dies or hangs
    // meanwhile is replaced as ever: what is under way needs them all, and the timer process counts it.
    int wait_for_what_is_under_way() {
        constexpr clock::Millis kToClose = 1000;
        const clock::Millis deadline = clock::read() + stop_patience();
        while (under_way() != 0 && clock::read() < deadline) {
            wait_for_a_death(50);
            if (const int status = bury_and_replace(); status != kGoOn) return status;
            turn();
        }
        if (const uint64_t left = under_way(); left != 0)
            LOG(warn, "server.drain_incomplete", kv("under_way", left), kv("effect", "they are given up"));
        set_stop_patience(std::max(deadline - clock::read(), kToClose));
        return kGoOn;
    }

    // All processes end at once; the guardian starts a supervisor that knows nothing of this segment, unless the server
    // is to end in any case.
    int fresh_segment(const char* reason) {
        if (stopping_)
            LOG(critical, "server.drain_given_up", kv("reason", reason), kv("effect", "all connections are lost"));
        else
            LOG(critical, "server.fresh_segment", kv("reason", reason),
                kv("effect", "all connections are lost; listening sockets stay open"));
        kill_all();
        return stopping_ ? 0 : kFreshSegment;
    }

    int stop(int status) {
        stopping_ = true;
        tell_guardian(Message::stopping);
        if (hatchery_.stopping) hatchery_.stopping();
        if (draining())
            if (const int ended = wait_for_what_is_under_way(); ended != kGoOn) return ended;
        return end_all(status);
    }
    int end_all(int status) {
        tell_children(SIGTERM);
        if (wait_for_all(stop_patience(), Ending::asked)) return status;
        LOG(critical, "server.killing", kv("reason", "processes did not end within exit_timeout"));
        kill_all();
        return status;
    }

    const Hatchery& hatchery_;
    const pid_t pid_;
    std::array<Child, mem::kMaxSlots> children_{};
    DeathRate rate_;
    pid_t walker_ = 0;
    bool stopping_ = false;
    clock::Millis turned_ = clock::read();
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
