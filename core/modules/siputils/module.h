// core/modules/siputils/module.h -- the descriptor of module siputils, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::siputils {
extern const ModuleDescriptor kModule;
}
