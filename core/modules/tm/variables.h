// core/modules/tm/variables.h -- $T_... and $T(...).
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::tm {
std::span<const Variable> tm_variables();
std::span<const Variable> tmx_variables();  // of module tmx: those that look into other messages
}  // namespace kahu::tm
