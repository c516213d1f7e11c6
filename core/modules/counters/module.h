// core/modules/counters/module.h -- the descriptor of module counters, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::counters {
extern const ModuleDescriptor kModule;
}
