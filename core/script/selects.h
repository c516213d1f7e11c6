// core/script/selects.h -- @from.uri.user, @hf_value.X, @cfg_get.group.name; and $sel(...).
//
// WHY    Selects are an older notation for what variables give: most are other spellings of one.
// HOW    A table maps each to the text of a variable, which is compiled in its place; @cfg_get reads the setting.
// FAILS  With what is wrong and what was meant.
#pragma once
#include <string_view>

#include "core/base/result.h"
#include "core/script/expression.h"

namespace kahu::script {

class Scope;

// `text` begins with "@" or, from $sel(), with the first name.
Result<ExpressionPtr> compile_select(std::string_view text, const Scope& scope, std::string_view where);

}  // namespace kahu::script
