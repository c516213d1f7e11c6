#include "core/sip/numbers.h"

#include <charconv>
#include <limits>

#include "core/sip/scan.h"

namespace kahu::sip {

std::optional<uint32_t> parse_uint32(std::string_view text) {
    uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

std::optional<uint32_t> parse_delta_seconds(std::string_view text) {
    if (const auto number = parse_uint32(text)) return number;
    if (text.empty() || !all_in(text, kDigit)) return std::nullopt;
    return std::numeric_limits<uint32_t>::max();
}

std::optional<uint16_t> parse_port(std::string_view text) {
    const auto number = parse_uint32(text);
    if (!number || *number == 0 || *number > 65535) return std::nullopt;
    return static_cast<uint16_t>(*number);
}

std::optional<uint16_t> parse_qvalue(std::string_view text) {
    if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    unsigned thousandths = text[0] == '1' ? 1000 : 0;
    if (text.size() == 1) return static_cast<uint16_t>(thousandths);
    if (text[1] != '.' || text.size() > 5) return std::nullopt;
    unsigned weight = 100;
    for (const char c : text.substr(2)) {
        if (!is_digit(c)) return std::nullopt;
        thousandths += static_cast<unsigned>(c - '0') * weight;
        weight /= 10;
    }
    if (thousandths > 1000) return std::nullopt;
    return static_cast<uint16_t>(thousandths);
}

}  // namespace kahu::sip
