// core/modules/htable/script.h -- variables and functions of the script on tables.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::htable {
std::span<const Variable> variables();
std::span<const Function> functions();
std::span<const Command> commands();
}  // namespace kahu::htable
