// core/modules/maxfwd/module.h -- the descriptor of module maxfwd, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::maxfwd {
extern const ModuleDescriptor kModule;
}
