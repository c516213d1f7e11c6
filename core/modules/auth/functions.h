// core/modules/auth/functions.h -- auth's script functions.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::auth {
std::span<const Function> functions();
}
