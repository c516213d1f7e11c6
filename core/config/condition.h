// core/config/condition.h -- the small expressions of `#!ifexp`, `#!defexp` and `#!defexps`.
//
// WHY    `#!ifexp KAMAILIO_VERSION >= 5006000`, `#!defexp LIMIT BASE * 4`, `#!defexps NAME "a" + SUFFIX`.
// FAILS  Result with the reason; the caller knows the place. Arithmetic wraps at 64 bits; nesting is bounded.
#pragma once
#include <string_view>

#include "core/base/result.h"
#include "core/config/ast.h"
#include "core/config/defines.h"

namespace kahu::config {

// Names stand for the values of defines: a number, a string, or 1 for a define without value; an undefined name is 0.
Result<Value> evaluate(std::string_view expression, const Defines& defines);
bool truth(const Value& value);

}  // namespace kahu::config
