// core/script/core_functions.h -- functions that need no module, and rows that more than one module lists.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::script {

std::span<const Function> core_functions();
std::span<const Function> forward_functions();  // forward(), force_send_socket() ...

// is_method("INVITE|ACK"): Kamailio's users find it in textops and in siputils.
extern const Function kIsMethod;

}  // namespace kahu::script
