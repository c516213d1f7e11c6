// tls/tls_rpc.h -- the commands tls.*: names, fields and their order as Kamailio's tools expect them.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::tls {

std::span<const Command> tls_commands();
std::span<const Counter> reload_counters();

}  // namespace kahu::tls
