// core/modules/textopsx/iterators.h -- hf_iterator_*(): a walk over the headers; bl_iterator_*(): over the body's
// lines.
//
// LIVES  By name, in the process that runs the script; a walk ends with its message.
// FAILS  A function of a walk that was not started, or is at no header or line, is false; its variables are null.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::textopsx {
std::span<const Function> iterator_functions();
std::span<const Variable> iterator_variables();  // $hfitname() $hfitbody() $blitval()
}  // namespace kahu::textopsx
