#include "core/config/apply_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/text.h"
#include "core/config/substitution.h"
#include "core/config/words.h"

namespace kahu::config {
namespace {

const Param* find_row(std::span<const Param> rows, std::string_view name) {
    const auto row = std::ranges::find_if(rows, [&](const Param& param) { return param.name == name; });
    return row == rows.end() ? nullptr : &*row;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known, std::string otherwise) {
    const std::string_view meant = text::nearest(word, known);
    return meant.empty() ? otherwise : fmt::format("did you mean '{}'?", meant);
}

void apply_row(const Param& row, const ParamValue& value, const Location& at, const Location& value_at,
               std::string_view what, Diagnostics& diagnostics) {
    if (!row.remark.empty()) diagnostics.warning(at, fmt::format("{}{} {}", what, row.name, row.remark));
    if (Status applied = kahu::apply(row, value); !applied)
        diagnostics.error(value_at, std::string(what) + applied.error().what, applied.error().hint);
}

// --- modparam ----------------------------------------------------------------------------------------
bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '|';
}

class ModulePattern {
  public:
    explicit ModulePattern(const std::string& text) {
        if (std::ranges::all_of(text, is_plain)) {
            for (std::string_view name : text::split(text, '|')) names_.push_back(name);
            return;
        }
        std::string escaped;  // the separator of the substitution must not stand in it
        for (char c : text) escaped += c == '\x01' ? ' ' : c;
        Result<Substitution> made = Substitution::parse("\x01^(?:" + escaped + ")$\x01\x02\x01");
        if (made) regex_ = std::make_unique<Substitution>(*std::move(made));
        else why_ = made.error().what;
    }
    bool matches(std::string_view module) const {
        if (regex_) return regex_->apply(module) != module;
        return std::ranges::find(names_, module) != names_.end();
    }
    const std::string& why() const { return why_; }

  private:
    std::vector<std::string_view> names_;
    std::unique_ptr<Substitution> regex_;
    std::string why_;
};

// What a variable in a modparamx value stands for: known at start are only defines and the environment.
std::string start_variable(std::string_view variable, const Ast& ast, bool& known) {
    const size_t open = variable.find('(');
    const std::string_view name = variable.substr(1, open - 1);
    const std::string inner(open == variable.npos ? "" : variable.substr(open + 1, variable.size() - open - 2));
    if (name == "env") {
        const char* value = ::getenv(inner.c_str());
        return value ? value : "";
    }
    if (name == "def" || name == "defv" || name == "defn") {
        for (const Define& define : ast.defines) {
            if (define.name != inner) continue;
            const bool in_quotes = define.value.size() > 1 && define.value.front() == '"' && define.value.back() == '"';
            return name == "defv" && in_quotes ? define.value.substr(1, define.value.size() - 2) : define.value;
        }
        return "";
    }
    known = false;
    return {};
}

ParamValue expanded(const ModParam& param, const Ast& ast, Diagnostics& diagnostics) {
    const auto* text = std::get_if<std::string>(&param.value);
    if (!param.with_variables || !text) return param.value;
    std::string out;
    for (size_t at = 0; at < text->size();) {
        const size_t end = (*text)[at] == '$' ? text->find(')', at) : text->npos;
        if (end == text->npos) {
            out += (*text)[at++];
            continue;
        }
        bool known = true;
        out += start_variable(std::string_view(*text).substr(at, end + 1 - at), ast, known);
        if (!known) {
            diagnostics.error(param.value_at, fmt::format("{} has no value at start", text->substr(at, end + 1 - at)),
                              "$env(NAME), $def(NAME) and $defv(NAME) have");
            return param.value;
        }
        at = end + 1;
    }
    return out;
}

void apply_modparam(const ModParam& param, const Ast& ast, std::span<const ModuleDescriptor* const> loaded,
                    Diagnostics& diagnostics) {
    const ModulePattern pattern(param.modules);
    if (!pattern.why().empty()) {
        diagnostics.error(param.at,
                          fmt::format("modparam: '{}' is no module and no pattern: {}", param.modules, pattern.why()));
        return;
    }
    const ParamValue value = expanded(param, ast, diagnostics);
    bool found = false;
    for (const ModuleDescriptor* module : loaded) {
        if (!pattern.matches(module->name)) continue;
        found = true;
        if (const Param* row = find_row(module->params, param.name)) {
            apply_row(*row, value, param.at, param.value_at, fmt::format("{}: ", module->name), diagnostics);
            continue;
        }
        std::vector<std::string_view> known;
        for (const Param& row : module->params) known.push_back(row.name);
        diagnostics.error(param.at,
                          fmt::format("module {} has no parameter '{}'", module->name, text::printable(param.name, 80)),
                          did_you_mean(param.name, known,
                                       known.empty() ? "it has none" : fmt::format("kahu --man {}", module->name)));
    }
    if (found) return;
    // Who loads a module that there is not hears so once, and not again for each of its parameters.
    for (const LoadModule& statement : ast.modules)
        if (pattern.matches(statement.name())) return;
    const bool plain = param.modules.find('|') == param.modules.npos;
    std::vector<std::string_view> known;
    for (const ModuleDescriptor* module : loaded) known.push_back(module->name);
    const std::string near = param.modules.size() < 4 ? "" : did_you_mean(param.modules, known, "");
    diagnostics.error(
        param.at,
        plain ? fmt::format("modparam: module '{}' is not loaded", text::printable(param.modules, 80))
              : fmt::format("modparam: no module that matches '{}' is loaded", text::printable(param.modules, 80)),
        plain ? fmt::format("loadmodule \"{}.so\"{}{}", text::printable(param.modules, 80), near.empty() ? "" : ", or ",
                            near)
              : "");
}

}  // namespace

void apply_settings(const Ast& ast, std::span<const std::span<const Param>> core_tables, Diagnostics& diagnostics) {
    for (const Setting& setting : ast.settings) {
        const Param* row = nullptr;
        for (std::span<const Param> table : core_tables)
            if (!row) row = find_row(table, setting.name);
        if (row) {
            apply_row(*row, setting.value, setting.at, setting.value_at, "", diagnostics);
            continue;
        }
        const auto accepted =
            std::ranges::find_if(accepted_settings(), [&](const AcceptedSetting& a) { return a.name == setting.name; });
        if (accepted != accepted_settings().end()) {
            diagnostics.warning(setting.at, fmt::format("{} {}", setting.name, accepted->remark));
            continue;
        }
        std::vector<std::string_view> known;
        for (std::span<const Param> table : core_tables)
            for (const Param& param : table) known.push_back(param.name);
        for (const TopWord& word : top_words()) known.push_back(word.word);
        for (const AcceptedSetting& other : accepted_settings()) known.push_back(other.name);
        diagnostics.error(setting.at, fmt::format("unknown parameter '{}'", text::printable(setting.name, 80)),
                          did_you_mean(setting.name, known, ""));
    }
}

void apply_modparams(const Ast& ast, std::span<const ModuleDescriptor* const> loaded, Diagnostics& diagnostics) {
    for (const ModParam& param : ast.modparams) apply_modparam(param, ast, loaded, diagnostics);
}

}  // namespace kahu::config
