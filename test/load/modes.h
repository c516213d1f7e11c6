// modes.h -- what kahu-load can do; each is one file.  A mode fills the report; FAILS only when it
// could not begin.
#pragma once
#include "core/base/result.h"
#include "test/load/options.h"
#include "test/load/report.h"

namespace kahu::load {

Status run_handshakes(const Options& options, Report& report);  // handshake and resume
Status run_requests(const Options& options, Report& report);
Status run_calls(const Options& options, Report& report);
Status run_idle(const Options& options, Report& report);
Status run_half_open(const Options& options, Report& report);
Status run_baseline(const Options& options, Report& report);

// Client addresses needed so that `connections` find a free port each (28 000 per address, those of
// the last minute still in TIME_WAIT); 0 when one will do or the target is not 127.0.0.0/8.
unsigned sources_for(const Options& options, uint64_t connections);

}  // namespace kahu::load
