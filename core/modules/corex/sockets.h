// core/modules/corex/sockets.h -- which of our sockets a message is of, what is sent as it stands, and to whom.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::corex {

std::span<const Function> socket_functions();
std::span<const Variable> socket_variables();  // $lsock()

}  // namespace kahu::corex
