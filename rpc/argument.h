// rpc/argument.h -- parameters and numbers as people write and read them; kahucmd and the text FIFO share it.
#pragma once
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/module/rpc_call.h"

namespace kahu::rpc {

// As kamcmd reads an argument: s:text, integer, decimal number, else text.
inline RpcCall::Param param_from_text(std::string_view word) {
    if (word.substr(0, 2) == "s:") return std::string(word.substr(2));
    const std::string_view digits = word.substr(0, 1) == "+" ? word.substr(1) : word;
    if (const auto number = text::to_int(digits)) return *number;
    double real = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, real, std::chars_format::fixed);
    if (error == std::errc{} && stopped == end && std::isfinite(real)) return real;
    return std::string(word);
}

// As kamcmd prints a double: "5", "2.500000".
inline std::string number_text(double value) {
    const bool whole = value == std::floor(value) && std::fabs(value) < 1e15;
    return whole ? fmt::format("{:.0f}", value) : fmt::format("{:.6f}", value);
}

}  // namespace kahu::rpc
