#include "core/script/scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/script/module_knowledge.h"
#include "core/script/program.h"

namespace kahu::script {
namespace {

template <class Row>
const Row* find(std::span<const Row> rows, std::string_view name) {
    for (const Row& row : rows)
        if (row.name == name) return &row;
    return nullptr;
}

// `kind` is "function" or "variable", `shown` the name as the script writes it.
Error not_loaded(std::string_view kind, std::string_view shown, std::string_view module) {
    return {Errc::not_found, fmt::format("{} {} is provided by module {}", kind, shown, module),
            fmt::format("add loadmodule \"{}.so\"", module)};
}
Error not_supported(std::string_view kind, std::string_view shown, std::string_view module) {
    const std::string owner = module.find(' ') == module.npos ? fmt::format("module {}", module) : std::string(module);
    return {Errc::unsupported, fmt::format("{} {} of {} is not supported yet", kind, shown, owner), ""};
}

// "ua" of "uaa": a letter was typed twice, or one too many.
bool is_one_letter_less(std::string_view known, std::string_view typed) {
    if (known.size() + 1 != typed.size()) return false;
    const size_t same = static_cast<size_t>(std::ranges::mismatch(known, typed).in1 - known.begin());
    return known.substr(same) == typed.substr(same + 1);
}

}  // namespace

Scope::Scope(std::span<const ModuleDescriptor* const> loaded, std::span<const ModuleDescriptor* const> available)
    : loaded_(loaded.begin(), loaded.end()), available_(available.begin(), available.end()) {
    loaded_.insert(loaded_.begin(), &core_module());
}

const Function* Scope::function(std::string_view name) const {
    for (const ModuleDescriptor* module : loaded_)
        if (const Function* row = find(module->functions, name)) return row;
    return nullptr;
}

const Variable* Scope::variable(std::string_view name) const {
    for (const ModuleDescriptor* module : loaded_)
        if (const Variable* row = find(module->variables, name)) return row;
    return nullptr;
}

Error Scope::unknown_function(std::string_view name) const {
    const std::string shown = fmt::format("{}()", text::printable(name, 64));
    for (const ModuleDescriptor* module : available_)
        if (find(module->functions, name) != nullptr) return not_loaded("function", shown, module->name);
    if (const std::string_view module = module_of_function(name); !module.empty())
        return not_supported("function", shown, module);
    constexpr std::string_view kStatements[] = {"return", "exit", "drop", "break", "while", "switch", "route"};
    std::vector<std::string_view> names(std::begin(kStatements), std::end(kStatements));
    for (const ModuleDescriptor* module : loaded_)
        for (const Function& row : module->functions) names.push_back(row.name);
    const std::string_view near = text::nearest(name, names);
    const bool statement = std::find(std::begin(kStatements), std::end(kStatements), near) != std::end(kStatements);
    return {Errc::not_found, fmt::format("unknown function {}", shown),
            near.empty() ? "" : fmt::format("did you mean {}{}?", near, statement ? "" : "()")};
}

Error Scope::unknown_variable(std::string_view name) const {
    const std::string shown = fmt::format("${}", text::printable(name, 64));
    for (const ModuleDescriptor* module : available_)
        if (find(module->variables, name) != nullptr) return not_loaded("variable", shown, module->name);
    if (const std::string_view module = module_of_variable(name); !module.empty())
        return not_supported("variable", shown, module);
    std::vector<std::string_view> names;
    // Names of two letters are near to everything.
    for (const ModuleDescriptor* module : loaded_)
        for (const Variable& row : module->variables)
            if (row.name.size() > 2 || is_one_letter_less(row.name, name)) names.push_back(row.name);
    const std::string_view near = text::nearest(name, names);
    return {Errc::not_found, fmt::format("unknown variable {}", shown),
            near.empty() ? "" : fmt::format("did you mean ${}?", near)};
}

}  // namespace kahu::script
