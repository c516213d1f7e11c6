// core/modules/tcpops/module.h -- the descriptor of module tcpops, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::tcpops {
extern const ModuleDescriptor kModule;
}
