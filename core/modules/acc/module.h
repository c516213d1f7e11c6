// core/modules/acc/module.h -- the descriptor of module acc, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::acc {
extern const ModuleDescriptor kModule;
}
