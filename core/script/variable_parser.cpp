#include "core/script/variable_parser.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/script/format.h"
#include "core/script/scope.h"
#include "core/script/selects.h"
#include "core/script/transformation.h"
#include "core/script/variable.h"
#include "core/script/variable_expression.h"

namespace kahu::script {
namespace {

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The offset behind the bracket that closes the one at text[from]; npos if there is none.
size_t behind_bracket(std::string_view text, size_t from, char open, char close) {
    int depth = 0;
    for (size_t i = from; i < text.size(); ++i) {
        if (text[i] == open) ++depth;
        if (text[i] == close && --depth == 0) return i + 1;
    }
    return text.npos;
}

Error unbalanced(std::string_view text, char close) {
    return {Errc::invalid, fmt::format("variable \"{}\" is not closed", text::printable(text, 40)),
            fmt::format("a \"{}\" is missing", close)};
}

// [ "." name ]: $ruri.user is a name with a dot, "$ru." is $ru at the end of a sentence.
size_t name_length(std::string_view text, size_t from, bool dots) {
    size_t at = from;
    while (at < text.size() && is_name_char(text[at])) ++at;
    if (dots && at > from && at + 1 < text.size() && text[at] == '.' && is_name_char(text[at + 1])) {
        ++at;
        while (at < text.size() && is_name_char(text[at])) ++at;
    }
    return at - from;
}

// name [ "(" inner ")" ] at text[at]; moves `at` behind it.
Status read_name(std::string_view text, size_t& at, bool dots, VariableText& out) {
    const size_t length = name_length(text, at, dots);
    if (length == 0)
        return Error{Errc::invalid, fmt::format("\"{}\" is not a variable", text::printable(text.substr(0, 16))),
                     "write \"$$\" for a dollar sign"};
    out.name = text.substr(at, length);
    at += length;
    if (at < text.size() && text[at] == '(') {
        const size_t end = behind_bracket(text, at, '(', ')');
        if (end == text.npos) return unbalanced(text, ')');
        out.inner = text.substr(at + 1, end - at - 2);
        out.has_inner = true;
        at = end;
    }
    return {};
}

// [ "[" index "]" ] *( "{" transformation "}" ) up to the end of `text`.
Status read_suffixes(std::string_view text, size_t& at, VariableText& out) {
    const auto skip_blanks = [&] {
        while (at < text.size() && text[at] == ' ') ++at;
    };
    skip_blanks();
    if (at < text.size() && text[at] == '[') {
        const size_t end = behind_bracket(text, at, '[', ']');
        if (end == text.npos) return unbalanced(text, ']');
        out.index = text::trim(text.substr(at + 1, end - at - 2));
        if (out.index.empty())
            return Error{Errc::invalid, "the index between [ ] is missing", "a number, a variable or *"};
        at = end;
    }
    for (skip_blanks(); at < text.size() && text[at] == '{'; skip_blanks()) {
        const size_t end = behind_bracket(text, at, '{', '}');
        if (end == text.npos) return unbalanced(text, '}');
        out.transformations.push_back(text.substr(at + 1, end - at - 2));
        at = end;
    }
    return {};
}

Status add_index(std::string_view index, const Scope& scope, std::string_view where, VariableUse& use) {
    if (index.empty()) return {};
    if (index == "*") {
        use.index_kind = VariableUse::Index::all;
    } else if (const auto number = text::to_int(index)) {
        use.index_kind = VariableUse::Index::constant;
        use.index_number = *number;
    } else if (index.front() == '$') {
        size_t used = 0;
        auto variable = compile_variable(index, used, scope, where);
        if (!variable) return std::move(variable).error();
        if (used != index.size())
            return Error{Errc::invalid, fmt::format("index \"{}\" is not one variable", index), ""};
        use.index_kind = VariableUse::Index::expression;
        use.index_expression = *variable;
    } else {
        return Error{Errc::invalid, fmt::format("\"{}\" is not an index", index), "a number, a variable or *"};
    }
    return {};
}

Status add_inner(const VariableText& parts, const Scope& scope, std::string_view where, VariableUse& use) {
    use.inner = parts.inner;
    use.has_inner = parts.has_inner;
    if (parts.inner.find('$') == parts.inner.npos) return {};
    auto format = Format::compile(parts.inner, scope, where);
    if (!format) return std::move(format).error();
    if ((*format)->is_constant()) use.inner = (*format)->constant();
    else use.inner_format = *format;
    return {};
}

Result<std::vector<TransformationUse>> compile_chain(const VariableText& parts, const Scope& scope,
                                                     std::string_view where) {
    std::vector<TransformationUse> chain;
    for (const std::string_view transformation : parts.transformations) {
        auto step = compile_transformation(transformation, scope, where);
        if (!step) return std::move(step).error();
        chain.push_back(std::move(*step));
    }
    return chain;
}

}  // namespace

Result<VariableText> split_variable(std::string_view text, size_t& used) {
    VariableText out;
    used = 1;
    if (text.size() > 1 && text[1] == '(') {
        const size_t end = behind_bracket(text, 1, '(', ')');
        if (end == text.npos) return unbalanced(text, ')');
        const std::string_view inside = text.substr(2, end - 3);
        size_t at = inside.find_first_not_of(' ');
        if (at == inside.npos) at = 0;
        if (Status named = read_name(inside, at, true, out); !named) return std::move(named).error();
        if (Status suffixed = read_suffixes(inside, at, out); !suffixed) return std::move(suffixed).error();
        if (at != inside.size())
            return Error{Errc::invalid,
                         fmt::format("\"{}\" in variable \"{}\" was not expected",
                                     text::printable(inside.substr(at), 40), text::printable(text.substr(0, end), 60)),
                         "$(name(inner)[index]{transformation})"};
        used = end;
        return out;
    }
    if (Status named = read_name(text, used, true, out); !named) return std::move(named).error();
    return out;
}

Result<ExpressionPtr> compile_variable(std::string_view text, size_t& used, const Scope& scope,
                                       std::string_view where) {
    auto parts = split_variable(text, used);
    if (!parts) return std::move(parts).error();
    if (parts->name == "sel" && parts->has_inner) {
        auto select = compile_select(parts->inner, scope, where);
        if (!select || parts->transformations.empty()) return select;
        auto steps = compile_chain(*parts, scope, where);
        if (!steps) return std::move(steps).error();
        return ExpressionPtr(std::make_shared<TransformedExpression>(std::move(*select), std::move(*steps)));
    }
    VariableUse use;
    use.row = scope.variable(parts->name);
    const size_t dot = parts->name.find('.');
    if (use.row == nullptr && dot != parts->name.npos && text[1] != '(') {
        // "$rd.example": a variable, and text that begins with a dot.
        parts->name = parts->name.substr(0, dot);
        parts->inner = {}, parts->has_inner = false;
        used = 1 + dot;
        use.row = scope.variable(parts->name);
    }
    if (use.row == nullptr) return scope.unknown_variable(parts->name);
    use.name = parts->name;
    use.where = where;
    if (Status inner = add_inner(*parts, scope, where, use); !inner) return std::move(inner).error();
    if (Status index = add_index(parts->index, scope, where, use); !index) return std::move(index).error();
    if (use.row->prepare != nullptr)
        if (Status prepared = use.row->prepare(use); !prepared)
            return std::move(prepared).error().context(fmt::format("variable ${}", use.name));
    auto chain = compile_chain(*parts, scope, where);
    if (!chain) return std::move(chain).error();
    return ExpressionPtr(std::make_shared<VariableExpression>(std::move(use), std::move(*chain)));
}

}  // namespace kahu::script
