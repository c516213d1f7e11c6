// core/modules/auth_db/module.h -- the descriptor of module auth_db, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::auth_db {
extern const ModuleDescriptor kModule;
}
