// core/config/preprocessor.h -- one stream of raw tokens out of files, includes, conditional blocks and defines.
//
// WHY    The grammar shall see neither directives nor files. Blocks that are switched off are skipped as lines: their
//        text need not even be made of tokens.
// LIVES  While one configuration is read.
// FAILS  Reports to Diagnostics; after kMaxErrors errors, or beyond a limit of ParseOptions, it ends.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/defines.h"
#include "core/config/diagnostic.h"
#include "core/config/parse.h"
#include "core/config/scanner.h"
#include "core/config/substitution.h"

namespace kahu::config {

class Preprocessor {
  public:
    Preprocessor(const ParseOptions& options, Diagnostics& diagnostics);
    // The main file. False: not readable (reported).
    bool open_file(const std::string& path);
    void open_text(std::string_view text, std::string_view name);

    RawToken next();
    void allow_regex();  // for the next token: after `case`
    ScriptType script_type() const { return script_type_; }
    const Defines& defines() const { return defines_; }

  private:
    struct Level {  // a file, or the text of a define
        std::unique_ptr<const std::string> text;
        Scanner scanner;
        std::string folder;     // of a file, with '/'
        std::string define;     // the name being expanded; empty: a file
        size_t conditions = 0;  // how many were open when this level began
    };
    struct Condition {
        Location at;
        std::string directive;
        bool taken = false;  // one of its branches was active
        bool else_seen = false;
    };

    void push_file(std::string text, const std::string& path);
    bool push_define(const RawToken& word);
    void pop_level();
    bool grow(size_t bytes, const Location& at);
    void include(const RawToken& word);
    void directive(const RawToken& token);
    bool conditional(const std::string& name, const Location& at);
    void skip_block();
    void define(const std::string& name, const Location& at);
    void define_expression(const std::string& name, const Location& at);
    void define_environment(const std::string& name, const Location& at);
    void undefine(const Location& at);
    void substitute(const std::string& name, std::string_view text, const Location& at);
    void mark_script_type(std::string_view name, const Location& at);
    bool take_name(std::string_view& rest, std::string& name, const std::string& what, const Location& at);
    void finish_text(RawToken& token);

    const ParseOptions& options_;
    Diagnostics& diagnostics_;
    Defines defines_;
    std::vector<Substitution> substitutions_;
    std::vector<Level> levels_;
    std::vector<Condition> conditions_;
    ScriptType script_type_ = ScriptType::unmarked;
    Location end_{};
    size_t total_bytes_ = 0, files_ = 0;
    bool names_module_ = false;  // the last word was loadmodule: its argument defines MOD_name
    bool inherits_ = false;      // the next token is the first of an expansion: flags of the replaced word
    bool inherited_space_ = false, inherited_line_start_ = false;
};

}  // namespace kahu::config
