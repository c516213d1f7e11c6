// core/modules/tm/variables.h -- $T_... and $T(...).
#pragma once
#include <span>

#include "core/module/descriptor.h"
#include "core/script/run.h"

namespace kahu::tm {
std::span<const Variable> tm_variables();
script::Value local_tag(script::Run& run);  // To-tag of what the transaction answers itself; null without one
std::span<const Variable> tmx_variables();  // of module tmx: those that look into other messages
}  // namespace kahu::tm
