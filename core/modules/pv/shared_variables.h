// core/modules/pv/shared_variables.h -- $shv(name): a value that all processes see and that outlives messages.
//
// WHY    Counters, switches and caches of a script that must not depend on which worker takes the message.
// LIVES  One cell for each name that the configuration mentions, in the segment; before it exists, and in tests without
//        one, in the process.
// LOCKS  One robust lock per cell, held for a copy.
// FAILS  A text longer than kTextBytes is refused.  A value that a process was writing when it died becomes 0.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/module/descriptor.h"
#include "core/script/arena.h"
#include "core/script/value.h"
#include "mem/segment.h"

namespace kahu::pv {

constexpr size_t kTextBytes = 1000;

std::span<const Variable> shared_variables();  // $shv() $shvinc()
std::span<const Command> shared_variable_commands();
std::span<const mem::Part> shared_variable_parts();
Status start_shared_variables();  // moves the values into the segment

// modparam("pv", "shvset", "name=i:5"), "name=s:text"; varset does the same for $var().
Status set_shared_from_parameter(const ParamValue& value);
Status set_private_from_parameter(const ParamValue& value);

}  // namespace kahu::pv
