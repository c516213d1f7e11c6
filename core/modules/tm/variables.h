// core/modules/tm/variables.h -- $T_branch_idx, $T_reply_code and their like.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::tm {
std::span<const Variable> tm_variables();
}
