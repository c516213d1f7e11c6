// core/config/cfg_rpc.h -- the cfg.* commands on runtime_cfg(), with the answers Kamailio gives.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::config {

std::span<const Command> cfg_commands();

}  // namespace kahu::config
