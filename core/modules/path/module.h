// core/modules/path/module.h -- the descriptor of module path, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::path {
extern const ModuleDescriptor kModule;
}
