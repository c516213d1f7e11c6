// core/modules/outbound/module.h -- the descriptor of module outbound, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::outbound {
extern const ModuleDescriptor kModule;
}
