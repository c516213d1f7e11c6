// core/modules/textops/header_lines.h -- texts of the script that become header lines.
//
// WHY    Variables may hold what a peer sent; a stray line end in one must not end the header section or add headers
//        that nobody wrote into the configuration.
#pragma once
#include <string_view>

#include "core/script/function.h"
#include "core/script/run.h"

namespace kahu::textops {

// Whole header lines, each with its CRLF.
bool are_header_lines(std::string_view text);
// The text as such lines: a bare LF becomes CRLF, and a missing line end is added; "" if it cannot be.
std::string_view as_header_lines(script::Run& run, std::string_view text);
// For constants: argument 0 can become header lines.
Status prepare_header_lines(script::Args& args);

}  // namespace kahu::textops
