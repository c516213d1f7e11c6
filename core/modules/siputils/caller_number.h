// core/modules/siputils/caller_number.h -- telephone numbers: tel URIs as SIP URIs, Remote-Party-ID; parts of URIs in
// variables.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::siputils {

std::span<const Function> number_functions();
std::span<const Param> number_params();
Status check_numbers();  // at start: compiles rpid_avp

}  // namespace kahu::siputils
