// core/modules/pv/module.h -- the descriptor of module pv, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::pv {
extern const ModuleDescriptor kModule;
}
