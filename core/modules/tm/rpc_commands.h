// core/modules/tm/rpc_commands.h -- tm.list, tm.stats, tm.cancel ...: fields as Kamailio names them.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::tm {
std::span<const Command> tm_commands();
}
