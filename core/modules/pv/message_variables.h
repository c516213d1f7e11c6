// core/modules/pv/message_variables.h -- parts of a message that need no routing to know.
#pragma once
#include <span>
#include <string_view>

#include "core/module/descriptor.h"

namespace kahu::pv {

std::span<const Variable> message_variables();  // $via0() $via1() $viaZ() $csb $fti $tti $expires() $nh() $rdir() ...

// Where a reply goes by its second Via: "sip:host:port;transport=udp"; "" without one.  Text of the run's arena.
std::string_view hop_of_reply(script::Run& run);

}  // namespace kahu::pv
