// core/script/script_log.h -- lines that the routing script writes: xlog() and log().
#pragma once
#include <string_view>

#include "core/base/log.h"
#include "core/script/run.h"

namespace kahu::script {

// log_prefix, if there is one, and the text without its line end.  Line ends inside stay: the user put them there.
// `facility`: of syslog; -1: the server's.
void log_script_line(Run& run, log::Level level, std::string_view text, int facility = -1);

// Where the lines go instead of the log (tests); nullptr: the log.
using ScriptLogSink = void (*)(log::Level level, std::string_view line, int facility);
void set_script_log_sink(ScriptLogSink sink);

}  // namespace kahu::script
