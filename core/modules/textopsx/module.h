// core/modules/textopsx/module.h -- the descriptor of module textopsx, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::textopsx {
extern const ModuleDescriptor kModule;
}
