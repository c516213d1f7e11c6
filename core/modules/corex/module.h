// core/modules/corex/module.h -- the descriptor of module corex, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::corex {
extern const ModuleDescriptor kModule;
}
