// core/modules/dlgs/commands.h -- dlgs.* commands, for the module's descriptor.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::dlgs {
std::span<const Command> commands();
}  // namespace kahu::dlgs
