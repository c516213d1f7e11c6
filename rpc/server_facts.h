// rpc/server_facts.h -- what core.version, core.arg, core.modules and the like tell about this server.
// Filled by core/app: run_directory and as_kamailio before the modules are checked, the rest before the first fork.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kahu::rpc {

struct ServerFacts {
    std::vector<std::string> arguments;  // argv
    std::string version;                 // "0.1.0"
    int64_t started_unix = 0;            // seconds
    std::string working_directory;
    std::vector<std::string> modules;                          // in the order of their loadmodule
    std::vector<std::pair<std::string, std::string>> defines;  // name, value; "" for none
    std::string run_directory;                                 // where the default socket goes
    bool as_kamailio = false;  // first line #!KAMAILIO: the default socket is kamailio_ctl
};

ServerFacts& server_facts();

}  // namespace kahu::rpc
