// core/modules/htable/module.h -- the descriptor of module htable, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::htable {
extern const ModuleDescriptor kModule;
}
