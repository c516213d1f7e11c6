// core/modules/rr/module.h -- the descriptor of module rr, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::rr {
extern const ModuleDescriptor kModule;
}
