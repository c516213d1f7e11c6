// core/modules/pv/choose.h -- a variable's inner name looked up in a table, at start.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/script/variable.h"

namespace kahu::pv {

struct Name {
    std::string_view name;
    int64_t number;
};
// use.number is the row's.  `valid`: what the error says there is.
template <size_t count>
Status choose(script::VariableUse& use, const Name (&names)[count], std::string_view valid) {
    for (const Name& row : names)
        if (row.name == use.inner) {
            use.number = row.number;
            return {};
        }
    return Error{Errc::invalid, fmt::format("${}({}) is not known", use.name, use.inner), std::string(valid)};
}

}  // namespace kahu::pv
