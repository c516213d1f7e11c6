// core/app/server.h -- from a checked configuration to running processes, in the order that a start needs.
#pragma once
#include "core/app/command_line.h"
#include "core/app/configuration.h"

namespace kahu::app {

// Returns the exit status of the server.
int run_server(const Options& options, Configuration& configuration);

}  // namespace kahu::app
