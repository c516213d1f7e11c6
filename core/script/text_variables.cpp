// core/script/text_variables.cpp -- $_s(format), and what the configuration file itself says: $def(), $cfg().
#include <fmt/format.h>

#include "core/script/core_variables.h"
#include "core/script/run.h"
#include "core/script/script_place.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;

Value evaluated(Run& run, const Use& use) { return Value::of(use.inner_text(run)); }

// What is known at start is kept as text in use.prepared.
Status keep(Use& use, std::string text) {
    use.prepared = std::make_shared<std::string>(std::move(text));
    return {};
}
std::string_view kept(const Use& use) { return *static_cast<const std::string*>(use.prepared.get()); }

Status prepare_define(Use& use) {
    if (use.inner.empty() || use.inner_format != nullptr)
        return Error{Errc::invalid, fmt::format("${} needs the name of a #!define", use.name),
                     fmt::format("${}(NAME)", use.name)};
    const auto* const defines = script_place().defines;
    if (defines == nullptr) return {};
    for (const config::Define& define : *defines)
        if (define.name == use.inner) return keep(use, define.value);
    return {};
}
Value define_text(Run&, const Use& use) { return use.prepared == nullptr ? Value::none() : Value::of(kept(use)); }
Value define_number(Run& run, const Use& use) {
    int64_t number = 0;
    const Value text = define_text(run, use);
    return use.prepared != nullptr && spells_integer(kept(use), number) ? Value::of(number) : text;
}
Value define_unquoted(Run& run, const Use& use) {
    const Value text = define_text(run, use);
    const std::string_view t = text.text;
    const bool quoted = t.size() >= 2 && (t.front() == '"' || t.front() == '\'') && t.back() == t.front();
    return quoted ? Value::of(t.substr(1, t.size() - 2)) : text;
}

// use.where is "kahu.cfg:12:7".
Status prepare_place(Use& use) {
    const std::string_view where = use.where;
    const size_t column = where.rfind(':');
    const size_t line = column == where.npos ? where.npos : where.rfind(':', column - 1);
    if (line == where.npos) return keep(use, std::string(use.inner == "file" ? where : ""));
    if (use.inner == "line" || use.inner == "l")
        return keep(use, std::string(where.substr(line + 1, column - line - 1)));
    if (use.inner == "file" || use.inner == "f" || use.inner == "name" || use.inner == "n")
        return keep(use, std::string(where.substr(0, line)));
    if (use.inner == "route" || use.inner == "r") return keep(use, script_place().route);
    return Error{Errc::invalid, fmt::format("$cfg({}) is not known", use.inner), "line, file or route"};
}
Value place(Run&, const Use& use) {
    int64_t number = 0;
    const std::string_view text = kept(use);
    return spells_integer(text, number) ? Value::of(number, text) : Value::of(text);
}

constexpr Variable kVariables[] = {
    {"_s", "The text between the parentheses, with its variables replaced.", evaluated},
    {"def", "Value of a #!define, as text.", define_text, nullptr, prepare_define},
    {"defn", "Value of a #!define, as a number if it is one.", define_number, nullptr, prepare_define},
    {"defv", "Value of a #!define without its quotes.", define_unquoted, nullptr, prepare_define},
    {"cfg", "Where this stands in the configuration: line, file or route.", place, nullptr, prepare_place},
};

}  // namespace

std::span<const Variable> text_variables() { return kVariables; }

}  // namespace kahu::script
