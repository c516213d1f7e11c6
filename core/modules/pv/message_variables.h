// core/modules/pv/message_variables.h -- parts of a message that need no routing to know.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::pv {

std::span<const Variable> message_variables();  // $via0() $via1() $viaZ() $csb $fti $tti $expires() $nh() $rdir() ...

}  // namespace kahu::pv
