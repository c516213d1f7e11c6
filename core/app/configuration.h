// core/app/configuration.h -- from options and files to a checked configuration; start and `kahu -c` both come here.
//
// WHY    "-c says it is fine" must mean "it starts": one function does all the checking there is.
// LIVES  In the starting process, before anything is opened or shared.
// FAILS  With everything that is wrong, one line each, file:line:column first; warnings are logged.
#pragma once
#include <memory>
#include <string>

#include "core/app/command_line.h"
#include "core/base/result.h"
#include "core/config/ast.h"
#include "core/script/program.h"

namespace kahu::app {

struct Configuration {
    config::Ast ast;
    std::unique_ptr<script::Program> program;
    std::string file;       // shown to users
    std::string directory;  // what relative paths start from
    std::string run_directory;
    bool as_kamailio = false;  // first line #!KAMAILIO: its run directory and socket names
};

Result<std::unique_ptr<Configuration>> load_configuration(const Options& options);

// etc/kahu.cfg as it was when the program was built.
std::string_view embedded_configuration();

}  // namespace kahu::app
