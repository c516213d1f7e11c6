// core/modules/debugger/commands.h -- dbg.*: names, fields and faults are those of Kamailio 5.6.3.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::debugger {
std::span<const Command> commands();
}
