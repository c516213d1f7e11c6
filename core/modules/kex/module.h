// core/modules/kex/module.h -- the descriptor of module kex, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::kex {
extern const ModuleDescriptor kModule;
}
