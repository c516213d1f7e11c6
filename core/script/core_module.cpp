// core/script/core_module.cpp -- the descriptor of what every script may use without loadmodule.
#include <vector>

#include "core/script/core_functions.h"
#include "core/script/core_variables.h"
#include "core/script/program.h"
#include "core/script/traffic_counters.h"

namespace kahu::script {

const ModuleDescriptor& core_module() {
    static const std::vector<Variable> variables = [] {
        std::vector<Variable> all;
        for (const auto table :
             {start_line_variables(), party_variables(), address_variables(), header_variables(), script_variables(),
              identity_variables(), branch_variables(), xavp_variables(), text_variables(), sending_variables()})
            all.insert(all.end(), table.begin(), table.end());
        return all;
    }();
    static const std::vector<Function> functions = [] {
        std::vector<Function> all;
        for (const auto table : {core_functions(), forward_functions()})
            all.insert(all.end(), table.begin(), table.end());
        return all;
    }();
    static const ModuleDescriptor descriptor{
        .name = "core",
        .summary = "Functions and variables of the routing script that need no module.",
        .functions = functions,
        .variables = variables,
        .counters = traffic_counters(),
    };
    return descriptor;
}

}  // namespace kahu::script
