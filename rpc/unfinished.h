// rpc/unfinished.h -- commands whose answer takes time (tm.t_uac_wait).
//
// WHY    The rpc process serves everybody: a command that waits must not make the others wait.
// LIVES  In the rpc process; asked every kLookMs from its loop, until stop_waiting().
// FAILS  Beyond kMostUnfinished the command ends with fault 503.
#pragma once
#include <cstddef>
#include <functional>

#include "core/base/clock.h"
#include "core/module/rpc_call.h"

namespace kahu::rpc {

inline constexpr size_t kMostUnfinished = 256;
inline constexpr clock::Millis kLookMs = 20;

// Executes it; `done` is called once: before this returns, or later from the loop.
void run_command(RpcCall call, std::function<void(const RpcCall&)> done);
// Forgets those that wait; their clients go, too.
void stop_waiting();

}  // namespace kahu::rpc
