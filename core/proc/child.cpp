#include "core/proc/child.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/proc/process_table.h"
#include "core/proc/settings.h"
#include "mem/contract.h"
#include "mem/slot.h"

namespace kahu::proc {

ChildFlags child_flags;

namespace {
std::array<Channel, mem::kMaxSlots> g_channels;
char* g_arguments = nullptr;
size_t g_argument_bytes = 0;

void on_signal(int number) {
    const int saved = errno;
    if (number == SIGTERM) child_flags.stop = 1;
    if (number == SIGHUP) child_flags.reopen_logs = 1;
    if (number == SIGUSR1) child_flags.statistics = 1;
    if (number == SIGUSR2) child_flags.inject = 1;
    ring(mem::current_slot());
    errno = saved;
}

void install_handlers() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    for (const int number : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) ::sigaction(number, &action, nullptr);
    action.sa_handler = SIG_IGN;  // a terminal's Ctrl-C reaches the whole group: the supervisor passes it on as SIGTERM
    for (const int number : {SIGINT, SIGPIPE, SIGQUIT}) ::sigaction(number, &action, nullptr);
    action.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Each message that a worker sends on wakes another process of ours, and without this the kernel often stops the worker
// for it in the middle of its turn.  Whoever started us with a policy of their own choosing keeps it.
void schedule_as_batch() {
    if (::sched_getscheduler(0) != SCHED_OTHER) return;
    constexpr sched_param kNone{};
    if (::sched_setscheduler(0, SCHED_BATCH, &kNone) != 0) LOG(debug, "process.not_batch", kv("errno", errno));
}
}  // namespace

void enter_child(int slot, pid_t supervisor) {
    mem::attach_slot(slot);
    child_flags.stop = 0;
    child_flags.reopen_logs = 0;
    child_flags.statistics = 0;
    child_flags.inject = 0;
    install_handlers();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != supervisor) ::_exit(0);
    ProcessEntry& entry = process(slot);
    const bool is_worker = entry.kind == ProcessKind::tcp_worker || entry.kind == ProcessKind::udp_worker;
    if (is_worker && settings.batch_scheduling != 0) schedule_as_batch();
    set_process_title(entry.title);
    log::set_process(entry.title_text());
    clock::tick();
    entry.turned_ms.store(clock::now_ms());
}

void make_channel(int slot) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    g_channels[static_cast<size_t>(slot)] = {ends[0], ends[1]};
}
Channel channel(int slot) { return g_channels[static_cast<size_t>(slot)]; }

void remember_arguments(int argc, char** argv) {
    // argv and the environment are one block; the environment moves away so that a title may be longer than the
    // command.
    char* end = argv[0];
    for (int i = 0; i < argc; ++i)
        if (argv[i] == end) end = argv[i] + std::strlen(argv[i]) + 1;
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (*entry == end) end = *entry + std::strlen(*entry) + 1;
    size_t count = 0;
    while (environ[count] != nullptr) ++count;
    auto** copy = static_cast<char**>(std::calloc(count + 1, sizeof(char*)));
    if (copy == nullptr) return;
    for (size_t i = 0; i < count; ++i) copy[i] = ::strdup(environ[i]);
    environ = copy;
    g_arguments = argv[0];
    g_argument_bytes = static_cast<size_t>(end - argv[0]);
}

void set_process_title(const char* title) {
    char shown[160];
    const int bytes = std::snprintf(shown, sizeof shown, "kahu: %s", title);
    if (g_arguments != nullptr && g_argument_bytes > 1) {
        std::memset(g_arguments, 0, g_argument_bytes);
        std::memcpy(g_arguments, shown, std::min<size_t>(g_argument_bytes - 1, static_cast<size_t>(bytes)));
    }
    ::prctl(PR_SET_NAME, shown);
}

}  // namespace kahu::proc
