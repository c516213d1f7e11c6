// core/modules/pv/process_variables.h -- $pp $mi $env() $version() $C(), and credentials $au $ar $aU ...
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::pv {
std::span<const Variable> process_variables();
}
