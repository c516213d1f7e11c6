#include "core/script/variable.h"

#include "core/script/expression.h"
#include "core/script/run.h"

namespace kahu::script {

std::string_view VariableUse::inner_text(Run& run) const {
    return inner_format == nullptr ? std::string_view(inner) : to_text(inner_format->value(run), run.arena());
}

std::optional<int64_t> VariableUse::index(Run& run) const {
    if (index_kind == Index::constant) return index_number;
    if (index_kind == Index::expression) return to_integer(index_expression->value(run));
    return std::nullopt;
}

size_t VariableUse::position(Run& run, size_t count) const {
    const int64_t wanted = index(run).value_or(0);
    const auto size = static_cast<int64_t>(count);
    const int64_t at = wanted < 0 ? size + wanted : wanted;
    return at < 0 || at >= size ? npos : static_cast<size_t>(at);
}

}  // namespace kahu::script
