// core/base/text.h -- small operations on borrowed text.  No allocation unless a std::string is returned.
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kahu::text {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}
constexpr std::string_view trim(std::string_view s, std::string_view blanks = " \t\r\n") {
    const size_t from = s.find_first_not_of(blanks);
    if (from == s.npos) return {};
    return s.substr(from, s.find_last_not_of(blanks) - from + 1);
}
// Whole text must be the number: "12x" is none.  base 0 also accepts 0x and 0 prefixes.
std::optional<int64_t> to_int(std::string_view s, int base = 10);

std::vector<std::string_view> split(std::string_view s, char separator);  // keeps empty fields
std::string lowered(std::string_view s);
std::string hex(std::span<const unsigned char> bytes);
// Printable ASCII as it is, the rest as \xNN: for log lines and error texts from the network.
std::string printable(std::string_view s, size_t at_most = 256);
// The entry of `known` nearest to `word` by edit distance, or "" if none is near: "did you mean".
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace kahu::text
