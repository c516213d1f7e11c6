// core/modules/debugger/dumps.h -- dbg_pv_dump() and dbg_sip_msg(): what a message carries, in the log.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::debugger {
std::span<const Function> functions();
}
