// core/modules/pv/list_functions.h -- functions that fill $avp, $xavp, $xavu and $xavi, or print them.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::pv {

std::span<const Function> list_functions();       // pv_unset pv_printf xavp_params_explode xavp_child_sets ...
std::span<const Function> list_copy_functions();  // xavp_copy xavp_rm pv_var_to_xavp ...

}  // namespace kahu::pv
