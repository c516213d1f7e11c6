// core/proc/child.h -- what each forked process does before and after its work, and the flags its signal
// handlers set.
//
// WHY    Handlers only set a flag and ring the process's own doorbell; the loop acts.
// FAILS  enter_child() cannot fail; a child whose supervisor is already gone exits at once.
#pragma once
#include <sys/types.h>

#include <csignal>

namespace kahu::proc {

// Set by signal handlers, read by the loop.
struct ChildFlags {
    volatile std::sig_atomic_t stop = 0;         // SIGTERM
    volatile std::sig_atomic_t reopen_logs = 0;  // SIGHUP
    volatile std::sig_atomic_t statistics = 0;   // SIGUSR1
    volatile std::sig_atomic_t inject = 0;       // SIGUSR2, for tests (injection.h)
};
extern ChildFlags child_flags;

// In the child, right after fork(): slot, signal handlers and mask, death with the supervisor, title, log name.
void enter_child(int slot, pid_t supervisor);

// A slot's channel: a pair of connected SOCK_SEQPACKET sockets over which descriptors travel between a worker and
// tcp main.  Made by the supervisor before the first fork and kept open by it, so that nothing sent is lost when
// either end dies.
struct Channel {
    int worker_end = -1;
    int main_end = -1;
};
void make_channel(int slot);
Channel channel(int slot);

// Shown by ps(1): "kahu: tcp receiver (generic) child=0".  remember_arguments() first, in main().
void remember_arguments(int argc, char** argv);
void set_process_title(const char* title);

}  // namespace kahu::proc
