// tls/api.h -- what core/app and other modules use of the tls module.
//
// Before Hooks::check, core/app calls set_main_config_directory().  Once a second each process calls every_second():
// a worker frees contexts of replaced configurations, the timer renews ticket keys, the rpc process frees replaced
// generations.
#pragma once
#include <string>

#include "core/module/descriptor.h"
#include "tls/reload.h"

namespace kahu::tls {

extern const ModuleDescriptor kModule;

void set_main_config_directory(std::string directory);
void every_second(ProcessKind kind);

// tls.cfg(5), in mdoc: made from the table of attributes.  man/tls.cfg.5 is a copy of it, which `make check` compares.
std::string tls_cfg_manual();

}  // namespace kahu::tls
