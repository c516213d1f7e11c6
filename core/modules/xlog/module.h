// core/modules/xlog/module.h -- the descriptor of module xlog, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::xlog {
extern const ModuleDescriptor kModule;
}
