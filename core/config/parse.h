// core/config/parse.h -- reads a configuration file with all it includes into a tree.
//
// WHY    One entry for the server, `kahu -c`, tests and the fuzzer.
// LIVES  Before the first fork; needs nothing but memory and the files.
// FAILS  The result's error is the first diagnostic; all of them (at most Diagnostics::kMaxErrors) are in
//        `diagnostics`, which also gets the warnings of a parse that succeeded. Nothing in a file can make it crash,
//        recurse without bound or run long: every size is limited below.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/ast.h"
#include "core/config/diagnostic.h"

namespace kahu::config {

struct ParseOptions {
    std::vector<std::string> defines;  // -A: "WITH_TLS" or "PORT=5060" (the value is text of the language)
    std::vector<std::string> subst;    // --subst, --substdef, --substdefs: "/pattern/replacement/flags"
    std::vector<std::string> substdef;
    std::vector<std::string> substdefs;
    bool allow_files = true;          // include_file, import_file
    bool allow_environment = true;    // #!defenv
    bool allow_substitutions = true;  // #!subst, #!substdef
    size_t max_file_bytes = 8u << 20;
    size_t max_total_bytes = 32u << 20;  // all files and all that defines expand to
    size_t max_include_depth = 16;
    size_t max_files = 500;
};

// path "-" is standard input.
Result<Ast> parse_file(const std::string& path, const ParseOptions& options, Diagnostics& diagnostics);
// `name` stands for the file in messages; includes are looked up relative to its folder.
Result<Ast> parse_text(std::string_view text, std::string_view name, const ParseOptions& options,
                       Diagnostics& diagnostics);

}  // namespace kahu::config
