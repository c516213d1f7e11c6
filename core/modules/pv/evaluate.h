// core/modules/pv/evaluate.h -- pv_evalx(): a text that names variables in a text that it is made from.
//
// WHY    A script reads a format from a table and wants what it stands for: it is compiled while the server runs.
// LIVES  What was compiled is kept by this process, kMostTexts of them; a longer text than kLongestText is refused.
//        Such a text can read variables, and make none: a $var() or $shv() that no line of the script names is 0 there.
#pragma once
#include <cstddef>
#include <span>

#include "core/module/descriptor.h"

namespace kahu::pv {

constexpr size_t kMostTexts = 100, kLongestText = 4096;

std::span<const Function> evaluate_functions();

}  // namespace kahu::pv
