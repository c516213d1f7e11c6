// core/modules/sl/module.h -- the descriptor of module sl, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::sl {
extern const ModuleDescriptor kModule;
}
