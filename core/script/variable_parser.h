// core/script/variable_parser.h -- from "$(hdr(Via)[1]{s.select,0,;})" to its parts, and to an expression.
//
// WHY    Scripts, format texts and transformation arguments all write variables the same way.
// FAILS  With what is wrong and what was expected; `used` then is the offset where it is.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/script/expression.h"

namespace kahu::script {

class Scope;
struct VariableUse;

struct VariableText {
    std::string_view name;   // "hdr"
    std::string_view inner;  // "Via"
    bool has_inner = false;
    std::string_view index;                         // "1"; empty: none
    std::vector<std::string_view> transformations;  // "s.select,0,;"
};

// Reads the variable at the start of `text`, which begins with "$"; `used` is its length.
Result<VariableText> split_variable(std::string_view text, size_t& used);

// The same, compiled.  The expression is a VariableExpression (core/script/variable_expression.h).
Result<ExpressionPtr> compile_variable(std::string_view text, size_t& used, const Scope& scope, std::string_view where);

}  // namespace kahu::script
