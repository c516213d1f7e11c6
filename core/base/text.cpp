#include "core/base/text.h"

#include <algorithm>
#include <utility>

namespace kahu::text {

std::optional<int64_t> to_int(std::string_view s, int base) {
    bool negative = false;
    if (!s.empty() && (s[0] == '-' || s[0] == '+')) {
        negative = s[0] == '-';
        s.remove_prefix(1);
    }
    if (base == 0) {
        base = 10;
        if (s.size() > 2 && s[0] == '0' && lower(s[1]) == 'x') {
            base = 16;
            s.remove_prefix(2);
        } else if (s.size() > 1 && s[0] == '0') {
            base = 8;
        }
    }
    if (s.empty() || s[0] == '-' || s[0] == '+') return std::nullopt;
    uint64_t magnitude = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), magnitude, base);
    if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    const uint64_t limit = negative ? uint64_t{1} << 63 : (uint64_t{1} << 63) - 1;
    if (magnitude > limit) return std::nullopt;
    return static_cast<int64_t>(negative ? uint64_t{0} - magnitude : magnitude);
}

std::vector<std::string_view> split(std::string_view s, char separator) {
    std::vector<std::string_view> fields;
    for (;;) {
        const size_t at = s.find(separator);
        fields.push_back(s.substr(0, at));
        if (at == s.npos) return fields;
        s.remove_prefix(at + 1);
    }
}

std::string lowered(std::string_view s) {
    std::string out(s);
    for (char& c : out) c = lower(c);
    return out;
}

std::string hex(std::span<const unsigned char> bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const unsigned char b : bytes) {
        out += digits[b >> 4];
        out += digits[b & 15];
    }
    return out;
}

std::string printable(std::string_view s, size_t at_most) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char c : s.substr(0, at_most)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '\\') {
            out += c;
        } else {
            out += "\\x";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    if (s.size() > at_most) out += "...";
    return out;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
    std::string_view best;
    size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
    std::vector<size_t> row;
    for (const std::string_view candidate : known) {
        row.resize(candidate.size() + 1);
        for (size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (size_t i = 1; i <= word.size(); ++i) {
            size_t diagonal = std::exchange(row[0], i);
            for (size_t j = 1; j < row.size(); ++j) {
                const size_t substitute = diagonal + (lower(word[i - 1]) != lower(candidate[j - 1]));
                diagonal = row[j];
                row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return best;
}

}  // namespace kahu::text
