// core/proc/deaths.h -- what a process died of, and what its death means for the server.  Pure but for the counters.
//
// WHY    One death is replaced and nobody notices; many in a short time mean that something shared is broken, and then
//        only fresh memory helps.  Deaths by SIGKILL come from outside (an administrator, the OOM killer) and say
//        nothing about the segment: they weigh less.
#pragma once
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/clock.h"
#include "core/module/descriptor.h"

namespace kahu::proc {

enum class Cause : uint8_t { killed, crashed, exited, hung, count_ };
std::string_view name_of(Cause cause);
std::string_view name_of(ProcessKind kind);  // "tcp_worker"

// What waitpid() said; `hung`: the watchdog had signalled it.
Cause cause_of(int wait_status, bool hung);

// Too many deaths?  Add each one.
class DeathRate {
  public:
    static constexpr clock::Millis kWindow = 10'000;
    static constexpr size_t kDeaths = 100;       // in the window, of whatever cause
    static constexpr size_t kMostCrashes = 100;  // that crash_limit may be
    // True: the segment is not to be trusted any more.  crash_limit: so many crashes in the window; 0: any number.
    bool add(Cause cause, clock::Millis now, size_t crash_limit);

  private:
    struct Recent {
        std::array<clock::Millis, std::max(kDeaths, kMostCrashes)> at{};
        size_t next = 0;
        // True if this is the n-th in the window.
        bool add(clock::Millis now, size_t n);
    };
    Recent crashes_, deaths_;
};

// process.* of the statistics.
struct DeathCounters {
    uint16_t deaths[static_cast<size_t>(Cause::count_)];
    uint16_t restarts[static_cast<size_t>(ProcessKind::count_)];
    uint16_t poisoned_locks, released_read_locks, crash_files, fresh_segments, heap_walks;
};
extern DeathCounters death_counters;
std::span<const Counter> death_counter_rows();
void count_death(ProcessKind kind, Cause cause);

}  // namespace kahu::proc
