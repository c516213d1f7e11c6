// core/modules/db_sqlite/module.h -- the descriptor of module db_sqlite, for the list of modules.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::db_sqlite {
extern const ModuleDescriptor kModule;
}
