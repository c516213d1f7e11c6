// core/modules/usrloc/module.h -- the descriptor of module usrloc, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::usrloc {
extern const ModuleDescriptor kModule;
}
