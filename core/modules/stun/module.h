// core/modules/stun/module.h -- the descriptor of module stun, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::stun {
extern const ModuleDescriptor kModule;
}
