// core/modules/tm/replicate.h -- t_replicate(): a copy of the request goes to somebody else, whose answer nobody waits
// for.
//
// WHY    Registrations are mirrored to a second server; what the client is told does not depend on it.
// LIVES  As a local transaction beside that of the request (originate.h): the timer process sends it.
// FAILS  False: out of memory, or no SIP URI.
#pragma once
#include <string_view>

#include "core/script/run.h"

namespace kahu::tm {

// To `uri`; empty: where the request itself would go.
bool replicate(script::Run& run, std::string_view uri);

}  // namespace kahu::tm
