// core/modules/dlgs/module.h -- the descriptor of module dlgs, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::dlgs {
extern const ModuleDescriptor kModule;
}
