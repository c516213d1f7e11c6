// core/modules/jsonrpcs/module.h -- the descriptor of module jsonrpcs, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::jsonrpcs {
extern const ModuleDescriptor kModule;
}
