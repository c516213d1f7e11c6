#include "core/script/transformation.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/script/run.h"
#include "core/script/scope.h"
#include "core/script/variable_parser.h"

namespace kahu::script {
namespace {

// Classes of Kamailio's that are still to come, so that the error can say so.
constexpr std::string_view kClassesToCome[] = {"sql.", "xml.", "json.", "msrpuri.", "s.encode.", "s.decode."};

const Transformation* find(std::string_view name) {
    for (const auto table : transformation_tables())
        for (const Transformation& row : table)
            if (row.name == name) return &row;
    return nullptr;
}

Error unknown(std::string_view name) {
    for (const std::string_view prefix : kClassesToCome)
        if (name.substr(0, prefix.size()) == prefix)
            return {Errc::unsupported, fmt::format("transformation {{{}}} is not supported yet", name), ""};
    std::vector<std::string_view> names;
    for (const auto table : transformation_tables())
        for (const Transformation& row : table) names.push_back(row.name);
    const std::string_view near = text::nearest(name, names);
    return {Errc::not_found, fmt::format("unknown transformation {{{}}}", name),
            near.empty() ? "" : fmt::format("did you mean {{{}}}?", near)};
}

// Splits at commas that are not inside a variable: "s.substr,$var(a,b),2".
std::vector<std::string_view> split_arguments(std::string_view text) {
    std::vector<std::string_view> out;
    size_t from = 0;
    int depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '(' && i > 0 &&
            (text[i - 1] == '$' || depth > 0 || text.substr(from, i - from).find('$') != text.npos))
            ++depth;
        if (text[i] == ')' && depth > 0) --depth;
        if (text[i] == ',' && depth == 0) {
            out.push_back(text.substr(from, i - from));
            from = i + 1;
        }
    }
    out.push_back(text.substr(from));
    // {s.select,1,,}: the last argument is the comma itself.
    if (out.size() >= 3 && out[out.size() - 1].empty() && out[out.size() - 2].empty()) {
        out.pop_back();
        out.back() = text.substr(text.size() - 1);
    }
    return out;
}

}  // namespace

std::span<const std::span<const Transformation>> transformation_tables() {
    static const std::span<const Transformation> tables[] = {text_transformations(), sip_transformations(),
                                                             list_transformations(), regex_transformations()};
    return tables;
}

std::string_view TransformationUse::text(Run& run, size_t i) const {
    if (i >= arguments.size()) return {};
    const Argument& argument = arguments[i];
    return argument.variable == nullptr ? std::string_view(argument.text)
                                        : to_text(argument.variable->value(run), run.arena());
}

int64_t TransformationUse::number(Run& run, size_t i, int64_t otherwise) const {
    if (i >= arguments.size()) return otherwise;
    const Argument& argument = arguments[i];
    return to_integer(argument.variable == nullptr ? Value::of(text::trim(argument.text))
                                                   : argument.variable->value(run));
}

Result<TransformationUse> compile_transformation(std::string_view text, const Scope& scope, std::string_view where) {
    std::vector<std::string_view> parts = split_arguments(text);
    const std::string_view name = text::trim(parts.front());
    TransformationUse use;
    use.row = find(name);
    if (use.row == nullptr) return unknown(name);
    if (use.row->literal_argument && parts.size() > 2) parts = {parts[0], text.substr(parts[0].size() + 1)};
    const size_t given = parts.size() - 1;
    if (given < use.row->min_args || given > use.row->max_args)
        return Error{Errc::invalid, fmt::format("transformation {{{}}} does not take {} argument(s)", name, given),
                     fmt::format("{{{}{}}}", name, use.row->args)};
    for (size_t i = 1; i < parts.size(); ++i) {
        const std::string_view trimmed = text::trim(parts[i]);
        TransformationUse::Argument argument;
        if (!use.row->literal_argument && trimmed.size() > 1 && trimmed.front() == '$') {
            size_t used = 0;
            auto variable = compile_variable(trimmed, used, scope, where);
            if (!variable) return std::move(variable).error();
            if (used != trimmed.size())
                return Error{Errc::invalid, fmt::format("argument \"{}\" of {{{}}} is not one variable", trimmed, name),
                             ""};
            argument.variable = *variable;
        } else {
            argument.text = parts[i];
        }
        use.arguments.push_back(std::move(argument));
    }
    if (use.row->prepare != nullptr)
        if (Status prepared = use.row->prepare(use, scope); !prepared)
            return std::move(prepared).error().context(fmt::format("{{{}}}", name));
    return use;
}

}  // namespace kahu::script
