// What each #!directive does.
#include <fmt/format.h>

#include <cstdlib>

#include "core/base/text.h"
#include "core/config/condition.h"
#include "core/config/preprocessor.h"

namespace kahu::config {
namespace {

constexpr size_t kMaxSubstitutions = 200;
constexpr size_t kMaxConditions = 200;

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_any(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void Preprocessor::directive(const RawToken& token) {
    const std::string& name = token.text;
    if (!levels_.back().define.empty()) {
        diagnostics_.error(token.at, fmt::format("#!{} inside the value of a define", name));
        (void)levels_.back().scanner.rest_of_line();
        return;
    }
    if (is_any(name, {"include_file", "import_file"})) return include(token);
    if (!token.line_start) {
        diagnostics_.error(token.at, fmt::format("#!{} is not the first on its line", name));
        (void)levels_.back().scanner.rest_of_line();
        return;
    }
    if (is_any(name, {"ifdef", "ifndef", "ifexp", "else", "endif"})) {
        if (!conditional(name, token.at)) skip_block();
    } else if (is_any(name, {"subst", "substdef", "substdefs"})) {
        // As it stands between the first and the last quote: "\1" is for the substitution.
        const std::string line = levels_.back().scanner.rest_of_line();
        const size_t last = line.empty() ? line.npos : line.rfind(line[0]);
        const bool is_quoted = !line.empty() && (line[0] == '"' || line[0] == '\'') && last != 0;
        if (is_quoted) substitute(name, std::string_view(line).substr(1, last - 1), token.at);
        else
            diagnostics_.error(token.at, fmt::format("#!{} is not followed by a string", name),
                               "\"/pattern/replacement/g\"");
    } else if (is_any(name, {"defexp", "defexps"})) {
        define_expression(name, token.at);
    } else if (is_any(name, {"defenv", "defenvs", "trydefenv", "trydefenvs"})) {
        define_environment(name, token.at);
    } else if (is_any(name, {"undef", "undefine"})) {
        undefine(token.at);
    } else if (is_any(name, {"KAMAILIO", "OPENSER", "SER", "MAXCOMPAT", "ALL"})) {
        mark_script_type(name, token.at);
    } else {
        define(name, token.at);
    }
}

void Preprocessor::mark_script_type(std::string_view name, const Location& at) {
    (void)levels_.back().scanner.rest_of_line();
    if (at.line != 1) return;
    if (name == "SER") script_type_ = ScriptType::ser;
    else if (name == "MAXCOMPAT") script_type_ = ScriptType::maxcompat;
    else if (name == "ALL") script_type_ = ScriptType::all;
    else script_type_ = ScriptType::kamailio;
}

// True: the text that follows is active.
bool Preprocessor::conditional(const std::string& name, const Location& at) {
    const std::string rest = levels_.back().scanner.rest_of_line();
    if (name == "else" || name == "endif") {
        if (conditions_.size() <= levels_.back().conditions) {
            diagnostics_.error(at, fmt::format("#!{} without #!ifdef", name));
            return true;
        }
        if (name == "endif") {
            conditions_.pop_back();
            return true;
        }
        Condition& open = conditions_.back();
        if (open.else_seen)
            diagnostics_.error(at, "a second #!else",
                               fmt::format("the block began at {}", diagnostics_.files.text(open.at)));
        open.else_seen = true;
        return !std::exchange(open.taken, true);
    }
    bool active = false;
    if (name == "ifexp") {
        const Result<Value> value = evaluate(rest, defines_);
        if (!value)
            diagnostics_.error(at, "#!ifexp: " + value.error().what, "only numbers, strings, defines and operators");
        active = value && truth(*value);
    } else {
        std::string_view left = rest;
        std::string defined;
        if (!take_name(left, defined, "#!" + name, at)) return true;
        active = (defines_.find(defined) != nullptr) == (name == "ifdef");
    }
    if (conditions_.size() >= kMaxConditions) {
        diagnostics_.error(at, fmt::format("more than {} nested conditions", kMaxConditions));
        levels_.clear();
        conditions_.clear();
        return true;
    }
    conditions_.push_back({at, name, active, false});
    return active;
}

// Behind a condition that is false: up to the #!else or #!endif that makes the text active again.
void Preprocessor::skip_block() {
    size_t nested = 0;
    Scanner& scanner = levels_.back().scanner;
    for (;;) {
        Location at;
        const std::string name = scanner.skip_to_directive(at);
        if (name.empty()) return;  // the level's end reports what is open
        if (is_any(name, {"ifdef", "ifndef", "ifexp"})) ++nested;
        else if (name == "endif" && nested > 0) --nested;
        else if (nested == 0 && is_any(name, {"else", "endif"}) && conditional(name, at)) return;
    }
}

bool Preprocessor::take_name(std::string_view& rest, std::string& name, const std::string& what, const Location& at) {
    size_t bytes = 0;
    while (bytes < rest.size() && is_name_char(rest[bytes])) ++bytes;
    name = rest.substr(0, bytes);
    rest = text::trim(rest.substr(bytes));
    if (bytes != 0) return true;
    diagnostics_.error(at, fmt::format("{} is not followed by a name", what));
    return false;
}

void Preprocessor::define(const std::string& directive, const Location& at) {
    const std::string line = levels_.back().scanner.rest_of_line();
    std::string_view rest = line;
    std::string name;
    if (!take_name(rest, name, "#!" + directive, at)) return;
    Define made{name, std::string(rest), !rest.empty(), at};
    const Define* known = defines_.find(name);
    if (is_any(directive, {"redefine", "redef"})) defines_.set(std::move(made));
    else if (!known) defines_.add(std::move(made));
    else if (is_any(directive, {"define", "def"}) && (known->value != made.value || known->has_value != made.has_value))
        diagnostics_.error(at,
                           known->at.line != 0
                               ? fmt::format("{} is already defined at {}", name, diagnostics_.files.text(known->at))
                               : fmt::format("{} is already defined", name),
                           "#!redefine replaces the value, #!trydef keeps the first");
}

void Preprocessor::undefine(const Location& at) {
    const std::string line = levels_.back().scanner.rest_of_line();
    std::string_view rest = line;
    std::string name;
    if (take_name(rest, name, "#!undef", at)) defines_.remove(name);
}

void Preprocessor::define_expression(const std::string& directive, const Location& at) {
    const std::string line = levels_.back().scanner.rest_of_line();
    std::string_view rest = line;
    std::string name;
    if (!take_name(rest, name, "#!" + directive, at)) return;
    const Result<Value> value = evaluate(rest, defines_);
    if (!value) {
        diagnostics_.error(at, fmt::format("#!{} {}: {}", directive, name, value.error().what),
                           "only numbers, strings, defines and operators");
        return;
    }
    const auto* number = std::get_if<int64_t>(&*value);
    const std::string shown = number ? std::to_string(*number) : std::get<std::string>(*value);
    defines_.set({name, directive == "defexps" || !number ? quoted(shown) : shown, true, at});
}

void Preprocessor::define_environment(const std::string& directive, const Location& at) {
    const std::string line = levels_.back().scanner.rest_of_line();
    std::string_view rest = line;
    std::string name;
    if (!take_name(rest, name, "#!" + directive, at)) return;
    std::string variable = name;  // or NAME=VARIABLE
    if (!rest.empty() && rest[0] == '=') {
        rest = text::trim(rest.substr(1));
        if (!take_name(rest, variable, "#!" + directive + " " + name + "=", at)) return;
    }
    const char* value = options_.allow_environment ? ::getenv(variable.c_str()) : nullptr;
    const bool optional = directive.starts_with("try");
    if (optional && (!value || defines_.find(name))) return;
    if (!value) {
        diagnostics_.error(at, fmt::format("the environment variable {} is not set", variable),
                           "#!trydefenv does without it");
        return;
    }
    defines_.set({name, directive.ends_with("s") ? quoted(value) : std::string(value), true, at});
}

void Preprocessor::substitute(const std::string& name, std::string_view text, const Location& at) {
    if (!options_.allow_substitutions || substitutions_.size() >= kMaxSubstitutions) {
        diagnostics_.error(at, fmt::format("more than {} substitutions, or none allowed here", kMaxSubstitutions));
        return;
    }
    Result<Substitution> made = Substitution::parse(text);
    if (!made) {
        diagnostics_.error(at, fmt::format("#!{}: {}", name, made.error().what), made.error().hint);
        return;
    }
    if (name != "subst") {
        const std::string& value = made->replacement();
        defines_.set({made->pattern(), name == "substdefs" ? quoted(value) : value, true, at});
    }
    substitutions_.push_back(*std::move(made));
}

}  // namespace kahu::config
