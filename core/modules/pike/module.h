// core/modules/pike/module.h -- the descriptor of module pike, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::pike {
extern const ModuleDescriptor kModule;
}
