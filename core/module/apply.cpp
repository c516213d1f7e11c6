#include <fmt/format.h>

#include "core/base/text.h"
#include "core/module/descriptor.h"

namespace kahu {
namespace {

std::string shown(const ParamValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    return '"' + text::printable(std::get<std::string>(value), 80) + '"';
}

Error wrong(const Param& param, const ParamValue& value) {
    return {Errc::invalid, fmt::format("{} = {} is not valid", param.name, shown(value)),
            fmt::format("expected {}", describe_range(param))};
}

std::optional<int64_t> as_number(const Param& param, const ParamValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return *number;
    const std::string& written = std::get<std::string>(value);
    if (param.kind == ParamKind::boolean)
        for (const auto& [word, truth] :
             {std::pair{"yes", 1}, {"on", 1}, {"true", 1}, {"no", 0}, {"off", 0}, {"false", 0}})
            if (text::iequals(written, word)) return truth;
    return text::to_int(text::trim(written), 0);
}

}  // namespace

std::string describe_range(const Param& param) {
    const std::string unit = param.unit.empty() ? "" : fmt::format(" {}", param.unit);
    switch (param.kind) {
    case ParamKind::boolean: return "yes or no";
    case ParamKind::text: return "text";
    case ParamKind::custom: return "a value as described in the manual page";
    case ParamKind::integer: break;
    }
    if (param.min == INT64_MIN && param.max == INT64_MAX) return "an integer" + unit;
    if (param.max == INT64_MAX) return fmt::format("an integer from {} up{}", param.min, unit);
    return fmt::format("an integer from {} to {}{}", param.min, param.max, unit);
}

Status apply(const Param& param, const ParamValue& value) {
    if (param.kind == ParamKind::integer || param.kind == ParamKind::boolean) {
        const auto number = as_number(param, value);
        if (!number) return wrong(param, value);
        const bool truth = param.kind == ParamKind::boolean;
        if (truth ? *number != 0 && *number != 1 : *number < param.min || *number > param.max)
            return wrong(param, value);
        if (param.accept)
            if (Status accepted = param.accept(value); !accepted) return accepted;
        if (param.number) param.number->set(*number);
        return {};
    }
    if (param.accept)
        if (Status accepted = param.accept(value); !accepted) return accepted;
    if (param.kind == ParamKind::text && param.text) {
        const auto* number = std::get_if<int64_t>(&value);
        if (!param.text->set(number ? std::to_string(*number) : std::get<std::string>(value)))
            return Error{Errc::invalid,
                         fmt::format("{} is longer than {} bytes", param.name, TextSetting::kTextCapacity), ""};
    }
    return {};
}

}  // namespace kahu
