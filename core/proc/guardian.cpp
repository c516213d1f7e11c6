#include "core/proc/guardian.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/base/log.h"
#include "core/proc/child.h"
#include "mem/slot.h"

namespace kahu::proc {
namespace {

constexpr int kStops[] = {SIGTERM, SIGINT, SIGQUIT};
constexpr int kPassedOn[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
constexpr int kMessages = 3;
constexpr clock::Millis kOrphansPatience = 1000;  // for children of a supervisor that died

int signal_of(int message) { return SIGRTMIN + message; }

std::atomic<pid_t>* g_children = nullptr;  // kMaxSlots, shared with the supervisor
pid_t g_guardian = 0;
int g_fresh_starts = 0;

class Guardian {
  public:
    explicit Guardian(const Guarded& guarded) : guarded_(guarded) {}

    int run() {
        for (;;) {
            const clock::Millis started = clock::read();
            if (!start()) return 1;
            const int status = watch();
            if (stopping_ || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return exit_status(status);
            end_orphans();
            const bool broken = WIFSIGNALED(status) || WEXITSTATUS(status) == kFreshSegment;
            if (!broken || !was_ready_) return exit_status(status);
            if (WIFSIGNALED(status)) LOG(critical, "supervisor.died", kv("signal", WTERMSIG(status)));
            const clock::Millis pause = backoff_.next(clock::read() - started);
            if (pause < 0) {
                LOG(critical, "server.giving_up", kv("reason", "the server does not last, not even on fresh memory"),
                    kv("tries", Backoff::kMostTries),
                    kv("hint", "see the crash files and what was logged before; then start it again"));
                return 1;
            }
            if (pause > 0) LOG(critical, "server.waiting", kv("seconds", pause / 1000), kv("until", "next try"));
            if (!wait_out(pause)) return 0;
            ++g_fresh_starts;
        }
    }

  private:
    static int exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 1; }

    bool start() {
        for (int slot = 0; slot < mem::kMaxSlots; ++slot) g_children[slot].store(0);
        supervisor_ = ::fork();
        if (supervisor_ < 0) {
            LOG(critical, "server.fork_failed", kv("reason", std::strerror(errno)));
            return false;
        }
        if (supervisor_ > 0) return true;
        ::prctl(PR_SET_CHILD_SUBREAPER, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != g_guardian) ::_exit(0);
        ::_exit(guarded_.serve());
    }

    // Until the supervisor has ended; its wait status.
    int watch() {
        sigset_t set = all_signals();
        for (;;) {
            int status = 0;
            if (reap(&status)) return status;
            const int number = ::sigwaitinfo(&set, nullptr);
            if (number <= 0 || number == SIGCHLD) continue;
            for (const int stop : kStops) stopping_ |= number == stop;
            for (const int each : kPassedOn)
                if (number == each) ::kill(supervisor_, number);
            if (number == SIGHUP) log::reopen();
            if (number == signal_of(static_cast<int>(Message::ready))) became_ready();
            if (number == signal_of(static_cast<int>(Message::turned))) ::sd_notify(0, "WATCHDOG=1");
            if (number == signal_of(static_cast<int>(Message::stopping))) ::sd_notify(0, "STOPPING=1");
        }
    }
    void became_ready() {
        ::sd_notify(0, "READY=1");
        if (!was_ready_ && guarded_.ready) guarded_.ready();
        was_ready_ = true;
    }
    // Collects the dead; true when the supervisor is one of them.
    bool reap(int* status) {
        bool ended = false;
        int each = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &each, WNOHANG)) > 0;) {
            for (int slot = 0; slot < mem::kMaxSlots; ++slot)
                if (pid_t expected = pid; g_children[slot].compare_exchange_strong(expected, 0)) break;
            if (pid != supervisor_) continue;
            *status = each;
            ended = true;
        }
        return ended;
    }

    // A dead supervisor's children are ours now (PR_SET_CHILD_SUBREAPER) and have got SIGTERM.  None may go on when
    // the next supervisor makes its own.
    void end_orphans() {
        const clock::Millis deadline = clock::read() + kOrphansPatience;
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        int ignored = 0;
        for (;;) {
            reap(&ignored);
            if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return;
            if (clock::read() > deadline)
                for (int slot = 0; slot < mem::kMaxSlots; ++slot)
                    if (const pid_t pid = g_children[slot].load(); pid > 0) ::kill(pid, SIGKILL);
            const timespec brief{0, 50'000'000};
            ::sigtimedwait(&child, nullptr, &brief);
            if (clock::read() > deadline + 5 * kOrphansPatience) return;
        }
    }

    // False: asked to stop meanwhile.
    bool wait_out(clock::Millis pause) {
        sigset_t set = all_signals();
        for (const clock::Millis until = clock::read() + pause; clock::read() < until;) {
            ::sd_notify(0, "WATCHDOG=1");
            const timespec second{1, 0};
            const int number = ::sigtimedwait(&set, nullptr, &second);
            for (const int stop : kStops)
                if (number == stop) return false;
        }
        return true;
    }

    static sigset_t all_signals() {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        for (const int number : kPassedOn) sigaddset(&set, number);
        for (int message = 0; message < kMessages; ++message) sigaddset(&set, signal_of(message));
        return set;
    }

    const Guarded& guarded_;
    Backoff backoff_;
    pid_t supervisor_ = 0;
    bool was_ready_ = false, stopping_ = false;
};

}  // namespace

int run_guardian(const Guarded& guarded) {
    void* const shared = ::mmap(nullptr, sizeof(std::atomic<pid_t>) * mem::kMaxSlots, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        LOG(critical, "server.start_failed", kv("reason", std::strerror(errno)));
        return 1;
    }
    g_children = new (shared) std::atomic<pid_t>[mem::kMaxSlots] {};
    g_guardian = ::getpid();
    sigset_t set;
    sigemptyset(&set);
    for (int message = 0; message < kMessages; ++message) sigaddset(&set, signal_of(message));
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    return Guardian(guarded).run();
}

pid_t guardian_pid() { return g_guardian; }
int fresh_starts() { return g_fresh_starts; }

void tell_guardian(Message message) {
    if (g_guardian > 0 && ::getppid() == g_guardian) ::kill(g_guardian, signal_of(static_cast<int>(message)));
}
void note_child(int slot, pid_t pid) {
    if (g_children != nullptr) g_children[slot].store(pid);
}

clock::Millis Backoff::next(clock::Millis lived) {
    if (lived >= kGoodLife) tries_ = 0;
    const int tries = tries_++;
    if (tries >= kMostTries) return -1;
    if (tries == 0) return 0;
    return 1000 << (tries < 6 ? tries - 1 : 5);
}

}  // namespace kahu::proc
