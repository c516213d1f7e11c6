// core/script/value.h -- what script expressions and variables evaluate to.
//
// WHY    Kamailio's language knows integers, strings and "undefined" ($null); a variable may hold any of them.
// LIVES  Text is borrowed: from the message, from the compiled program, or from the run's arena.  A value that must
//        outlive the message is copied by whoever keeps it ($var does).
// RULES  Conversions as Kamailio users know them: text is the decimal or 0x number that it spells, else 0; null is 0
//        and ""; only what converts to an integer other than 0 is true, so that if ($var(text)) asks for a number.
#pragma once
#include <cstdint>
#include <string_view>

namespace kahu::script {

class Arena;

struct Value {
    enum class Kind : uint8_t { null, integer, text };

    Kind kind = Kind::null;
    int64_t number = 0;
    std::string_view text = {};  // kind integer: its spelling if it has one already, else empty
    // Kind text: spells a number, as $rp and $cs do.  They are text to == and +, but is_int() is true of them.
    bool numeric = false;

    static constexpr Value of(int64_t n) { return {.kind = Kind::integer, .number = n}; }
    static constexpr Value of(int64_t n, std::string_view spelling) {
        return {.kind = Kind::integer, .number = n, .text = spelling};
    }
    static constexpr Value of(std::string_view s) { return {.kind = Kind::text, .text = s}; }
    static constexpr Value of(const char* s) { return {.kind = Kind::text, .text = s}; }
    static constexpr Value digits(std::string_view s) { return {.kind = Kind::text, .text = s, .numeric = true}; }
    static constexpr Value none() { return {}; }

    constexpr bool is_null() const { return kind == Kind::null; }
    constexpr bool is_integer() const { return kind == Kind::integer; }
    constexpr bool is_text() const { return kind == Kind::text; }
};

int64_t to_integer(const Value& value);
std::string_view to_text(const Value& value, Arena& arena);
inline bool to_truth(const Value& value) { return to_integer(value) != 0; }
bool spells_integer(std::string_view text, int64_t& out);  // whole text: "12", "-3", "+5", "0x1f"

}  // namespace kahu::script
