// core/modules/registrar/module.h -- the descriptor of module registrar, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::registrar {
extern const ModuleDescriptor kModule;
}
