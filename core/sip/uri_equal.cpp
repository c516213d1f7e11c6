// Comparison of URIs: RFC 3261 19.1.4, RFC 3966 5.
#include <algorithm>

#include "core/base/text.h"
#include "core/sip/scan.h"
#include "core/sip/uri.h"

namespace kahu::sip {

namespace {

// The next character of `text` at `i`.  An escaped unreserved character is that character; any other escape is
// something of its own (19.1.4: "characters other than those in the reserved set are equal to their %-encoding").
unsigned next_unit(std::string_view text, size_t& i, bool ignore_case) {
    const auto value = [](char c) {
        return is_digit(c) ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a') + 10;
    };
    const auto folded = [&](char c) { return static_cast<unsigned char>(ignore_case ? text::lower(c) : c); };
    const char c = text[i];
    if (c != '%' || i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
        ++i;
        return folded(c);
    }
    const unsigned byte = value(text[i + 1]) * 16 + value(text[i + 2]);
    i += 3;
    const char plain = static_cast<char>(byte);
    return is_in(plain, kUnreserved) ? folded(plain) : 256 + byte;
}

bool same(std::string_view a, std::string_view b, bool ignore_case) {
    size_t i = 0, j = 0;
    while (i < a.size() && j < b.size())
        if (next_unit(a, i, ignore_case) != next_unit(b, j, ignore_case)) return false;
    return i == a.size() && j == b.size();
}

struct Piece {
    std::string_view name, value;
};

// Splits ";a=1;b" or "a=1&b=2".
bool next_piece(std::string_view& text, char separator, Piece& out) {
    while (!text.empty() && text.front() == separator) text.remove_prefix(1);
    if (text.empty()) return false;
    const std::string_view piece = text.substr(0, text.find(separator));
    text.remove_prefix(piece.size());
    const size_t equal = piece.find('=');
    out.name = piece.substr(0, equal);
    out.value = equal == piece.npos ? std::string_view() : piece.substr(equal + 1);
    return true;
}

enum class Found { no, with_other_value, equal };

// A name given twice (which RFC 3261 19.1.1 forbids) is equal if one of its values is.
Found find_piece(std::string_view text, char separator, const Piece& wanted) {
    Found found = Found::no;
    for (Piece piece; next_piece(text, separator, piece);) {
        if (!same(piece.name, wanted.name, true)) continue;
        if (same(piece.value, wanted.value, true)) return Found::equal;
        found = Found::with_other_value;
    }
    return found;
}

// Parameters that one URI may have and the other not, without making them different, are all but these.
bool must_be_in_both(std::string_view name) {
    for (const std::string_view known : {"user", "ttl", "method", "maddr", "transport"})
        if (text::iequals(name, known)) return true;
    return false;
}

// Every piece of `a` is in `b` with the same value; one that is missing matters if `all`, or if it is one of the above.
bool covers(std::string_view a, std::string_view b, char separator, bool all) {
    for (Piece mine; next_piece(a, separator, mine);) {
        const Found found = find_piece(b, separator, mine);
        if (found == Found::with_other_value) return false;
        if (found == Found::no && (all || must_be_in_both(mine.name))) return false;
    }
    return true;
}

// More pieces than any honest URI has must be the same text: comparing them each with each would cost seconds.
constexpr auto kMaxPieces = 32;

bool same_pieces(std::string_view a, std::string_view b, char separator, bool all) {
    if (std::count(a.begin(), a.end(), separator) > kMaxPieces ||
        std::count(b.begin(), b.end(), separator) > kMaxPieces)
        return a == b;
    return covers(a, b, separator, all) && covers(b, a, separator, all);
}

bool same_number(std::string_view a, std::string_view b) {
    constexpr std::string_view kVisual = "-.()";
    size_t i = 0, j = 0;
    while (true) {
        while (i < a.size() && kVisual.find(a[i]) != kVisual.npos) ++i;
        while (j < b.size() && kVisual.find(b[j]) != kVisual.npos) ++j;
        if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
        if (text::lower(a[i++]) != text::lower(b[j++])) return false;
    }
}

}  // namespace

bool equal_uris(const Uri& a, const Uri& b) {
    if (a.scheme != b.scheme) return false;
    if (a.scheme == Scheme::other) return text::iequals(a.scheme_name, b.scheme_name) && a.opaque == b.opaque;
    if (a.scheme == Scheme::tel) return same_number(a.user, b.user) && same_pieces(a.params, b.params, ';', true);
    return a.has_user == b.has_user && a.has_password == b.has_password && same(a.user, b.user, false) &&
           same(a.password, b.password, false) && text::iequals(a.host, b.host) && a.port == b.port &&
           same_pieces(a.params, b.params, ';', false) && same_pieces(a.headers, b.headers, '&', true);
}

}  // namespace kahu::sip
