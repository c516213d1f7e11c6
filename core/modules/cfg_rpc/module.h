// core/modules/cfg_rpc/module.h -- the descriptor of module cfg_rpc, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::cfg_rpc {
extern const ModuleDescriptor kModule;
}
