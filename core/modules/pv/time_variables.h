// core/modules/pv/time_variables.h -- $Ts $TS $Tf $TF $Tb $TV() $time() $timef() $utime() $utimef()
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::pv {
std::span<const Variable> time_variables();
}
