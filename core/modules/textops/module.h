// core/modules/textops/module.h -- the descriptor of module textops, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::textops {
extern const ModuleDescriptor kModule;
}
