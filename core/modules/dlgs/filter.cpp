#include "core/modules/dlgs/filter.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include "core/base/text.h"

namespace kahu::dlgs {
namespace {

constexpr std::string_view kFields[] = {"any", "src", "dst", "data"}, kOps[] = {"eq", "ne", "re", "sw", "fm"};

template <size_t N>
Result<uint8_t> index_of(const std::string_view (&names)[N], std::string_view name, std::string_view what,
                         std::string_view hint) {
    for (uint8_t i = 0; i < N; ++i)
        if (text::iequals(names[i], name)) return i;
    return Error{Errc::invalid, fmt::format("Invalid {}: '{}'", what, text::printable(name)), std::string(hint)};
}

}  // namespace

Result<Filter> Filter::make(std::string_view field, std::string_view op, std::string_view value) {
    const auto field_index = index_of(kFields, field, "Field", "any, src, dst or data");
    if (!field_index) return field_index.error();
    const auto op_index = index_of(kOps, op, "Operator", "eq, ne, re, sw or fm");
    if (!op_index) return op_index.error();
    Filter filter;
    filter.field_ = static_cast<Field>(*field_index);
    filter.op_ = static_cast<Op>(*op_index);
    filter.value_ = value;
    if (filter.op_ != Op::re || filter.is_any()) return filter;
    filter.regex_ = script::cached_regex(value, true);
    if (filter.regex_ == nullptr)
        return Error{Errc::invalid, fmt::format("Invalid Matching Value: '{}'", text::printable(value)),
                     "a POSIX extended regular expression"};
    return filter;
}

bool Filter::matches(const Record& record) const {
    if (is_any()) return true;
    const Text which = field_ == Field::src ? Text::source : field_ == Field::dst ? Text::destination : Text::data;
    const std::string_view text = record.text(which);
    switch (op_) {
    case Op::eq: return text == value_;
    case Op::ne: return text != value_;
    case Op::sw: return text.starts_with(value_);
    case Op::re: return regex_->matches(text);
    case Op::fm: return ::fnmatch(value_.c_str(), std::string(text).c_str(), 0) == 0;
    }
    return false;
}

}  // namespace kahu::dlgs
