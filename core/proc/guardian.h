// core/proc/guardian.h -- the first process: keeps what outlives a crash of everything else, and starts a supervisor
// with clean memory whenever the last one could not go on.
//
// WHY    When the segment cannot be trusted any more, everything that points into it must go: OpenSSL's own variables
//        too, which nobody can reset.  The guardian forked before any of it existed, so each fork of it is a server
//        that has just read its configuration, bound its sockets and given up its privileges.  It also outlives the
//        supervisor, whatever happens to that.
// LIVES  Process id, pid file and control sockets of the server are the guardian's.  No segment, no OpenSSL.
// FAILS  A server that does not last is tried again after 0, 1, 2, 4 ... 32 seconds, then given up with a last word in
//        the log.  One that never became ready is not tried again: what is wrong with it has been said.
#pragma once
#include <sys/types.h>

#include "core/base/clock.h"

namespace kahu::proc {

// Exit status by which a supervisor asks for a successor with a fresh segment; its children are gone by then.
constexpr int kFreshSegment = 76;

struct Guarded {
    int (*serve)() = nullptr;   // becomes the supervisor; returns the exit status
    void (*ready)() = nullptr;  // in the guardian, when the first one serves
};
// Returns the exit status of the server.  REQUIRES: block_supervisor_signals().
int run_guardian(const Guarded& guarded);

// In the supervisor and all others: the guardian's process id; 0 when there is none (tests).
pid_t guardian_pid();
// How many supervisors came before this one.
int fresh_starts();

enum class Message : int { ready, turned, stopping };
// From the supervisor to its guardian, and from there to systemd.
void tell_guardian(Message message);
// The supervisor notes its children, so that the guardian can end those that outlive it.
void note_child(int slot, pid_t pid);

// When to try again; pure.
class Backoff {
  public:
    static constexpr int kMostTries = 8;
    static constexpr clock::Millis kGoodLife = 60'000;  // one that lasted so long was not broken from the start
    // How long to wait before the next try, after one that lasted `lived`; -1: give up.
    clock::Millis next(clock::Millis lived);

  private:
    int tries_ = 0;
};

}  // namespace kahu::proc
