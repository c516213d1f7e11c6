// core/script/transformation.h -- what stands in braces behind a variable: $(fU{s.substr,0,3}{s.toupper}).
//
// WHY    Each is a row of a table: name, how many arguments, function.  A class ("s.", "uri.") is a table of its own.
// LIVES  Constant tables; the arguments are compiled with the variable.
// FAILS  apply() of a null value is null; what cannot be transformed is null.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/script/expression.h"
#include "core/script/value.h"

namespace kahu::script {

class Scope;
struct TransformationUse;

struct Transformation {
    std::string_view name;  // "s.substr"
    uint8_t min_args = 0, max_args = 0;
    std::string_view args;  // ",offset,length"
    std::string_view help;
    Value (*apply)(Run& run, const TransformationUse& use, const Value& value) = nullptr;
    // At start: checks the arguments and may fill in `prepared`.
    Status (*prepare)(TransformationUse& use, const Scope& scope) = nullptr;
    // All behind the first comma is one argument, as it stands: a regular expression may hold commas and dollars.
    bool literal_argument = false;
};

struct TransformationUse {
    const Transformation* row = nullptr;
    struct Argument {
        std::string text;        // as written, white space kept: {s.select,1, }
        ExpressionPtr variable;  // set if the argument is a variable
    };
    std::vector<Argument> arguments;
    std::shared_ptr<const void> prepared;  // meaning is the row's

    std::string_view text(Run& run, size_t i) const;  // "" if there are not so many
    int64_t number(Run& run, size_t i, int64_t otherwise) const;
};

// All classes; more join here.
std::span<const std::span<const Transformation>> transformation_tables();
std::span<const Transformation> text_transformations();   // s.*
std::span<const Transformation> sip_transformations();    // uri.* nameaddr.* tobody.* sock.*
std::span<const Transformation> list_transformations();   // param.* line.* val.* num.* urlencode.*
std::span<const Transformation> regex_transformations();  // re.*

// `text` is what stands between the braces.
Result<TransformationUse> compile_transformation(std::string_view text, const Scope& scope, std::string_view where);

}  // namespace kahu::script
