// core/modules/debugger/trace.h -- the lines that tell which statement is carried out, and the stops.
#pragma once
#include <span>

#include "mem/segment.h"

namespace kahu::debugger {

void trace_scripts();  // before the script is compiled
// dbg.reset_msgid: each process counts its messages from 1 again.
void restart_message_numbers();
std::span<const mem::Part> message_number_parts();

}  // namespace kahu::debugger
