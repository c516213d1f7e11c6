// core/modules/pv/static_branch.h -- $sbranch(part): a branch that the script puts together before it uses it.
//
// LIVES  One in each process, kept from message to message until sbranch_reset().
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::pv {
std::span<const Variable> static_branch_variables();
std::span<const Function> static_branch_functions();  // sbranch_set_ruri(), sbranch_append(), sbranch_reset()
}  // namespace kahu::pv
