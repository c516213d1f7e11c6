// core/modules/usrloc/commands.h -- ul.*: the location tables for operators, field by field as kamcmd users know them.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::usrloc {
std::span<const Command> commands();
}
