// The tokens with an inside: strings, variables, selects, regular expressions.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/config/scanner.h"

namespace kahu::config {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_octal(char c) { return c >= '0' && c <= '7'; }
constexpr bool is_name(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr int hex_value(char c) { return is_digit(c) ? c - '0' : text::lower(c) - 'a' + 10; }

constexpr std::string_view kPunctuation[] = {  // longest first: the first that fits is the token
    "==", "=~", "!=", "!~", "<=", ">=", "<<", ">>", "&&", "||", "+=", "=", "!", "<", ">", "&", "|",
    "^",  "~",  "+",  "-",  "*",  "/",  "%",  "(",  ")",  "{",  "}",  "[", "]", ",", ";", ":", "."};

// The escape at the start of `rest` (behind the backslash) is appended to out; returns its length.
size_t unescape(std::string_view rest, std::string& out) {
    const char c = rest.empty() ? '\0' : rest[0];
    switch (c) {
    case 'n': out += '\n'; return 1;
    case 't': out += '\t'; return 1;
    case 'r': out += '\r'; return 1;
    case 'a': out += '\a'; return 1;
    case '\\': out += '\\'; return 1;
    case '"': out += '"'; return 1;
    case '\r': return rest.size() > 1 && rest[1] == '\n' ? 2 : 1;  // a continued line
    case '\n': return 1;
    default: break;
    }
    if (c == 'x' && rest.size() > 1 && is_hex(rest[1])) {
        int value = hex_value(rest[1]);
        size_t bytes = 2;
        if (rest.size() > 2 && is_hex(rest[2])) value = value * 16 + hex_value(rest[bytes++]);
        out += static_cast<char>(value);
        return bytes;
    }
    // One digit alone is a group of a substitution: "/(.*)/\1/".
    if (is_octal(c) && rest.size() > 1 && is_octal(rest[1])) {
        int value = 0;
        size_t bytes = 0;
        while (bytes < 3 && bytes < rest.size() && is_octal(rest[bytes])) value = value * 8 + (rest[bytes++] - '0');
        out += static_cast<char>(value);
        return bytes;
    }
    out += '\\';  // "\d" in a regular expression keeps its backslash
    return 0;
}

}  // namespace

void Scanner::read_double_quoted(RawToken& token) {
    token.kind = RawKind::text;
    size_t to = at_ + 1;
    while (to < text_.size() && text_[to] != '"') {
        if (text_[to] == '\\') to += 1 + unescape(text_.substr(to + 1), token.text);
        else token.text += text_[to++];
    }
    if (to >= text_.size()) diagnostics_->error(token.at, "this string is not closed", "'\"' is missing");
    advance(std::min(to + 1, text_.size()) - at_);
}

// Nothing is special between single quotes.
void Scanner::read_single_quoted(RawToken& token) {
    token.kind = RawKind::text;
    size_t to = text_.find('\'', at_ + 1);
    if (to == text_.npos) {
        diagnostics_->error(token.at, "this string is not closed", "\"'\" is missing");
        to = text_.size();
    }
    token.text = text_.substr(at_ + 1, to - at_ - 1);
    advance(std::min(to + 1, text_.size()) - at_);
}

// The position behind the bracket that closes the one at `from`; npos if none does.
size_t Scanner::balanced(size_t from, char open, char close) const {
    size_t depth = 0;
    for (size_t at = from; at < text_.size(); ++at) {
        if (text_[at] == open) ++depth;
        else if (text_[at] == close && --depth == 0) return at + 1;
    }
    return text_.npos;
}

// $name, $name(inner), $(name(inner){transformation}[index]), $? and $$ -- the inside is read by whoever knows
// variables.
bool Scanner::read_variable(RawToken& token) {
    token.kind = RawKind::variable;
    size_t to = at_ + 1;
    if (peek(1) == '?' || peek(1) == '$') {
        ++to;
    } else {
        while (to < text_.size() && is_name(text_[to])) ++to;
        // SER's attribute classes: $f.name, $tu.name
        while (to > at_ + 1 && to + 1 < text_.size() && text_[to] == '.' && is_name(text_[to + 1]) && to - at_ <= 3) {
            ++to;
            while (to < text_.size() && is_name(text_[to])) ++to;
        }
        if (to < text_.size() && text_[to] == '(') {
            size_t close = balanced(to, '(', ')');
            if (close == text_.npos) {
                diagnostics_->error(token.at, "this variable is not closed", "')' is missing");
                close =
                    std::min(text_.find_first_of(" \t\r\n;", to), text_.size());  // what follows is read as if it were
            }
            to = close;
        }
    }
    token.text = text_.substr(at_, to - at_);
    advance(to - at_);
    if (token.text.size() > 1) return true;
    diagnostics_->error(token.at, "'$' without the name of a variable");
    return false;
}

bool Scanner::read_select(RawToken& token) {
    token.kind = RawKind::select;
    size_t to = at_ + 1;
    while (to < text_.size()) {
        if (is_name(text_[to])) {
            ++to;
        } else if (text_[to] == '.' && to + 1 < text_.size() && is_name(text_[to + 1])) {
            ++to;
        } else if (text_[to] == '[' && to > at_ + 1) {
            const size_t close = text_.find_first_of("]\n", to);
            if (close == text_.npos || text_[close] == '\n') break;
            to = close + 1;
        } else {
            break;
        }
    }
    token.text = text_.substr(at_, to - at_);
    advance(to - at_);
    if (token.text.size() > 1) return true;
    diagnostics_->error(token.at, "'@' without the name of a select");
    return false;
}

// case /"^a": as Kamailio writes it.  False, and nothing was read: the quote belongs to a /regular expression/.
bool Scanner::read_quoted_regex(RawToken& token) {
    const size_t open = at_ + 1;
    const size_t line_end = std::min(text_.find('\n', open), text_.size());
    size_t to = open + 1;
    for (; to < line_end && text_[to] != text_[open]; ++to) {
        if (text_[to] == '\\' && to + 1 < line_end && text_[to + 1] == text_[open]) ++to;
        token.text += text_[to];
    }
    const size_t next = text_.find_first_not_of(" \t", to + 1);
    if (to >= line_end || next >= line_end || text_[next] != ':') {
        token.text.clear();
        return false;
    }
    token.kind = RawKind::regex;
    advance(to + 1 - at_);
    return true;
}

void Scanner::read_regex(RawToken& token) {
    size_t to = at_ + 1;
    if (to < text_.size() && (text_[to] == '"' || text_[to] == '\'') && read_quoted_regex(token)) return;
    while (to < text_.size() && text_[to] != '/' && text_[to] != '\n') {
        if (text_[to] == '\\' && to + 1 < text_.size() && text_[to + 1] == '/') ++to;
        token.text += text_[to++];
    }
    if (to >= text_.size() || text_[to] != '/') {
        diagnostics_->error(token.at, "this regular expression is not closed", "'/' is missing");
        to = std::min(
            {text_.find(':', at_), text_.find('\n', at_), text_.size()});  // what follows is read as if it were
        token.kind = RawKind::regex;
        advance(to - at_);
        return;
    }
    ++to;
    while (to < text_.size() && is_name(text_[to])) token.extra += text_[to++];
    token.kind = RawKind::regex;
    advance(to - at_);
}

namespace {
// Of the UTF-8 character at the front; 1 for what is none.
size_t bytes_of_character(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
    if (first > 0xf4 || bytes > text.size()) return 1;
    for (size_t i = 1; i < bytes; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 1;
    return bytes;
}
}  // namespace

bool Scanner::read_punctuation(RawToken& token) {
    for (std::string_view punctuation : kPunctuation) {
        if (text_.substr(at_, punctuation.size()) != punctuation) continue;
        token.kind = RawKind::punctuation;
        token.text = token.spelling = punctuation;
        advance(punctuation.size());
        return true;
    }
    const std::string_view odd = text_.substr(at_, bytes_of_character(text_.substr(at_)));
    std::string hint;
    size_t text_bytes = 0;  // behind an opening quote: read as the string that was meant
    for (const std::string_view quote : {"\u201c", "\u201d", "\u201e", "\u00ab", "\u00bb"}) {
        if (odd == quote) hint = "a text stands between two \" as a keyboard has them";
        const size_t closing = text_.substr(at_, text_.find('\n', at_) - at_).find(quote, odd.size());
        if (closing != text_.npos) text_bytes = std::max(text_bytes, closing + quote.size() - odd.size());
    }
    const std::string shown = odd.size() > 1 ? std::string(odd) : text::printable(odd);
    const bool quoted = !hint.empty() && text_bytes != 0;
    diagnostics_->error(token.at, fmt::format("'{}' does not belong here", shown), std::move(hint));
    if (quoted) token.kind = RawKind::text;
    advance(odd.size() + (quoted ? text_bytes : 0));
    return quoted;
}

std::string Scanner::rest_of_line() {
    std::string out;
    while (!done() && peek() != '\n') {
        size_t bytes = 0;
        if (peek() == '\\' && peek(1) == '\n') bytes = 2;
        else if (peek() == '\\' && peek(1) == '\r' && peek(2) == '\n') bytes = 3;
        if (bytes != 0) {
            out += '\n';  // a comment in a continued line ends there, as the line does
            advance(bytes);
            continue;
        }
        if (peek() != '\r' || peek(1) != '\n') out += peek();
        advance();
    }
    return std::string(text::trim(out));
}

std::string Scanner::skip_to_directive(Location& at) {
    while (!done()) {
        while (!done() && (peek() == ' ' || peek() == '\t')) advance();
        size_t bytes = 0;
        if (at_directive(bytes)) {
            at = here();
            const std::string name(text_.substr(at_ + 2, bytes - 2));
            advance(bytes);
            return name;
        }
        while (!done() && peek() != '\n') advance();
        advance();
    }
    at = here();
    return {};
}

}  // namespace kahu::config
