// core/modules/debugger/module.cpp -- read this file to know what debugger offers.
#include "core/modules/debugger/module.h"

#include "core/modules/debugger/commands.h"
#include "core/modules/debugger/dumps.h"
#include "core/modules/debugger/levels.h"
#include "core/modules/debugger/settings.h"
#include "core/modules/debugger/stops.h"
#include "core/modules/debugger/trace.h"

namespace kahu::debugger {
namespace {

Status check() {
    trace_scripts();
    use_levels();
    return {};
}

std::span<const mem::Part> parts() {
    static const mem::Part all[] = {level_parts().front(), stop_parts().front(), message_number_parts().front()};
    return all;
}

Status process_start(ProcessKind) {
    clear_own_stop();
    return {};
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "debugger",
    .summary = "Shows what the script does: a line for each statement, breakpoints, log levels by module.",
    .params = params(),
    .functions = functions(),
    .commands = commands(),
    .hooks = {.check = check, .parts = parts, .process_start = process_start},
    .description =
        "A script that was compiled with this module loaded can be traced at any time: modparam cfgtrace, or "
        "dbg.trace. "
        "The line is that of Kamailio: \"*** cfgtrace:dbg_cfg_trace(): request_route=[NAME] c=[FILE] l=LINE a=NUMBER "
        "n=NAME\"; LINE is where the statement begins.\n\n"
        "dbg.bp on stops every process at its next statement; the messages that arrive meanwhile wait. A process that "
        "is not told to go on does so by itself after step_loops times step_usleep (100 seconds). The watchdog lets "
        "it.",
};

}  // namespace kahu::debugger
