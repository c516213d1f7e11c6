// core/modules/tm/module.h -- the descriptors of modules tm and tmx, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::tm {
extern const ModuleDescriptor kModule;     // tm
extern const ModuleDescriptor kTmxModule;  // tmx
}  // namespace kahu::tm
