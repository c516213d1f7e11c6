#include "core/script/value.h"

#include <charconv>

#include "core/script/arena.h"

namespace kahu::script {

bool spells_integer(std::string_view text, int64_t& out) {
    int base = 10;
    bool negative = false;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    } else if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text.remove_prefix(2);
    }
    uint64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (ec != std::errc{} || end != text.data() + text.size() || number > INT64_MAX) return false;
    out = negative ? -static_cast<int64_t>(number) : static_cast<int64_t>(number);
    return true;
}

int64_t to_integer(const Value& value) {
    if (value.kind != Value::Kind::text) return value.is_integer() ? value.number : 0;
    int64_t number = 0;
    return spells_integer(value.text, number) ? number : 0;
}

std::string_view to_text(const Value& value, Arena& arena) {
    if (value.kind == Value::Kind::text || !value.text.empty()) return value.text;
    return value.is_integer() ? arena.decimal(value.number) : std::string_view();
}

}  // namespace kahu::script
