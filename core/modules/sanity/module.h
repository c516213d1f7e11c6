// core/modules/sanity/module.h -- the descriptor of module sanity, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::sanity {
extern const ModuleDescriptor kModule;
}
