// core/modules/debugger/module.h -- the descriptor of module debugger, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::debugger {
extern const ModuleDescriptor kModule;
}
