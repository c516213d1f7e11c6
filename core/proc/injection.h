// core/proc/injection.h -- for tests: a running process dies, or an allocation of its fails, when a test says so.
//
// WHY    Deaths at every lock, heap and queue operation of a real server are found nowhere else (test/crash).
// LIVES  Nothing happens unless the environment variable KAHU_INJECT is set at start; then at each SIGUSR2:
//   "lock:START:STEP", "alloc:...", "queue:...", "row:..."   SIGKILL at such a step of a lock, heap or queue operation,
//                 or of one on a connection's row, from now (mem/failure.h); each incarnation takes the next number:
//                 START, START + STEP ...
//   "alloc:START:STEP:SEGV"   with another signal: SEGV or ABRT; so for all of these
//   "damage:0:0"  overwrites bookkeeping of the process's own heap, "damage:1:0" of the supervisor's, then SIGSEGV
//   "global:0:0"  SIGKILL while it holds a lock of all processes for writing (mem/rwlock.h)
//   "fail:START:STEP"   an allocation fails; each failure takes the next number
//   "full:START:STEP"   that allocation fails and all that follow, until the next signal
//   "@FILE"       FILE holds one of these, or "count:0:0" or "off:0:0".  "PID LOCK ALLOC QUEUE ROW FAILED SEEN\n"
//                 goes to FILE.PID first: the steps taken since each was armed; 1 if an allocation failed, else 0;
//                 allocations until then if none did.
//                 After "places:0:0", which counts, too, FILE.PID.places has a line "POINT STEP HASH" for each step
//                 that was the first to be called from where it was; HASH is of the nearest callers.
// FAILS  What cannot be read or understood does nothing.
#pragma once

namespace kahu::proc {

// In the process's loop, after SIGUSR2.
void inject_failure();

}  // namespace kahu::proc
