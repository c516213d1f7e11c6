// core/modules/debugger/stops.h -- each process's switches for the debugger, and its conversation with dbg.bp.
//
// WHY    A process that waits at a statement of the script is asked from the rpc process what it sees there.
// LIVES  One cell for each slot, in the segment.
// LOCKS  None: the rpc process is the only one that asks, the slot's process the only one that answers.
// DEATH  A successor clears what its predecessor left, but for the switches.  A question that nobody answers is given
//        up after kPatience.
// FAILS  A process that waits goes on by itself after step_loops times step_usleep.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/script/run.h"
#include "core/script/trace.h"
#include "mem/segment.h"

namespace kahu::debugger {

inline constexpr uint32_t kTraces = 1, kStops = 2;  // Kamailio's bits of dbg.ls
inline constexpr clock::Millis kPatience = 1000;
inline constexpr size_t kTextBytes = 1000;

enum class Ask : int { nothing, go_on, next, show, evaluate, log };

struct Standing {  // what dbg.ls shows
    uint32_t switches = 0;
    bool waits = false;
    int asked_by = 0;
    Ask asked = Ask::nothing;
};

// --- any process -----------------------------------------------------------------------------------------------
bool switched_on(uint32_t which);  // of this process
void stop_here(script::Run& run, const script::TracePoint& point);

// --- rpc process -----------------------------------------------------------------------------------------------
Standing standing_of(int slot);
void switch_process(int slot, uint32_t which, bool on);
// What it answered; nullopt: it does not wait, or did not answer in time.
std::optional<std::string> ask(int slot, Ask what, std::string_view text);

// --- hooks -------------------------------------------------------------------------------------------------------
std::span<const mem::Part> stop_parts();
void clear_own_stop();  // of a process that begins

}  // namespace kahu::debugger
