// core/script/regex_argument.h -- a function's argument that is a regular expression.
//
// WHY    A constant one is compiled once per call site, before the first fork, and is an error of the configuration if
//        it is wrong; one with variables in it is compiled when its text is known, and kept for a while.
#pragma once
#include "core/script/function.h"
#include "core/script/regex.h"

namespace kahu::script {

using RegexPtr = std::shared_ptr<const Regex>;

// In Function::prepare; nullptr if the argument is not constant.  by_line as in Regex::compile().
template <size_t index, bool by_line = false>
Result<RegexPtr> constant_regex(const Args& args) {
    const Value* const pattern = args.constant(index);
    if (pattern == nullptr) return RegexPtr();
    return Regex::compile(pattern->is_text() ? pattern->text : std::to_string(pattern->number), true, by_line);
}
// For Function::prepare, where it is the only argument to be prepared.
template <size_t index, bool by_line = false>
Status prepare_regex(Args& args) {
    auto regex = constant_regex<index, by_line>(args);
    if (!regex) return std::move(regex).error();
    if (*regex != nullptr) args.keep(*regex);
    return {};
}
// What the argument is for this message; nullptr if it is no regular expression.  REQUIRES: prepare_regex of the same.
template <size_t index, bool by_line = false>
RegexPtr regex_argument(Run& run, const Args& args) {
    const RegexPtr* const known = args.prepared<RegexPtr>();
    return known != nullptr ? *known : cached_regex(args.text(run, index), by_line);
}

}  // namespace kahu::script
