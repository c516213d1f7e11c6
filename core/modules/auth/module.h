// core/modules/auth/module.h -- the descriptor of module auth, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::auth {
extern const ModuleDescriptor kModule;
}
