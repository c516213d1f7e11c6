#include "core/config/scanner.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace kahu::config {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_word_char(char c) { return is_letter(c) || is_digit(c); }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }

constexpr std::string_view kDirectives[] = {
    "define",   "def",       "trydef",     "trydefine", "redefine", "redef",     "undef",        "undefine",
    "ifdef",    "ifndef",    "ifexp",      "else",      "endif",    "defexp",    "defexps",      "defenv",
    "defenvs",  "trydefenv", "trydefenvs", "subst",     "substdef", "substdefs", "include_file", "import_file",
    "KAMAILIO", "OPENSER",   "SER",        "MAXCOMPAT", "ALL",
};

// 101b
std::string_view without_suffix(std::string_view spelling) { return spelling.substr(0, spelling.size() - 1); }
bool is_binary(std::string_view spelling) {
    return spelling.size() > 1 && spelling.back() == 'b' &&
           without_suffix(spelling).find_first_not_of("01") == spelling.npos;
}

}  // namespace

bool is_directive(std::string_view name) { return std::ranges::find(kDirectives, name) != std::end(kDirectives); }

Location Scanner::here() const { return fixed_.line != 0 ? fixed_ : Location{file_, line_, column_}; }

void Scanner::advance(size_t count) {
    for (; count > 0 && !done(); --count, ++at_) {
        if (text_[at_] == '\n') {
            ++line_;
            column_ = 1;
            line_start_ = true;
        } else {
            ++column_;
        }
    }
}

void Scanner::skip_line_comment() {
    while (!done() && peek() != '\n') advance();
}

bool Scanner::skip_block_comment() {
    const Location from = here();
    const size_t close = text_.find("*/", at_ + 2);
    if (close == text_.npos) {
        diagnostics_->error(from, "this comment is not closed", "'*/' is missing");
        advance(text_.size() - at_);
        return false;
    }
    advance(close + 2 - at_);
    return true;
}

// A directive is "#!name" or "!!name" followed by a blank or the line's end, with a name we know.
bool Scanner::at_directive(size_t& prefix_and_name) const {
    if ((peek() != '#' && peek() != '!') || peek(1) != '!') return false;
    size_t bytes = 2;
    while (is_word_char(peek(bytes))) ++bytes;
    const char after = peek(bytes);
    if (after != '\0' && !is_blank(after)) return false;
    prefix_and_name = bytes;
    return is_directive(text_.substr(at_ + 2, bytes - 2));
}

bool Scanner::skip_blanks() {
    const size_t from = at_;
    while (!done()) {
        size_t bytes = 0;
        if (is_blank(peek()) || (peek() == '\\' && (peek(1) == '\n' || peek(1) == '\r'))) {
            advance();
        } else if (peek() == '#' && !at_directive(bytes)) {
            const std::string_view name = bytes > 2 ? text_.substr(at_ + 2, bytes - 2) : std::string_view();
            const std::string_view meant = name.size() >= 4 ? text::nearest(name, kDirectives) : std::string_view();
            if (!meant.empty() && line_start_)
                diagnostics_->warning(here(), fmt::format("'#!{}' is no directive and read as a comment", name),
                                      fmt::format("did you mean '#!{}'?", meant));
            skip_line_comment();
        } else if (peek() == '/' && peek(1) == '/') {
            skip_line_comment();
        } else if (peek() == '/' && peek(1) == '*') {
            if (!skip_block_comment()) break;
        } else {
            break;
        }
    }
    return at_ != from;
}

RawToken Scanner::begin(RawKind kind, size_t bytes) {
    RawToken token;
    token.kind = kind;
    token.at = here();
    token.line_start = line_start_;
    token.spelling = text_.substr(at_, bytes);
    line_start_ = false;
    return token;
}

RawToken Scanner::next() {
    bool space = at_ == 0;
    for (;;) {
        space |= skip_blanks();
        RawToken token = begin(RawKind::end, 0);
        token.space_before = space;
        size_t bytes = 0;
        const char c = peek();
        const bool regex_allowed = std::exchange(regex_allowed_, false);
        if (done()) {
            token.end = token.at;
            return token;
        }
        bool read = true;
        if (at_directive(bytes)) {
            token.kind = RawKind::directive;
            token.text = text_.substr(at_ + 2, bytes - 2);
            advance(bytes);
        } else if (regex_allowed && c == '/') read_regex(token);
        else if (read_address(token)) {
        } else if (is_letter(c)) read_word(token);
        else if (is_digit(c)) read_number(token);
        else if (c == '"') read_double_quoted(token);
        else if (c == '\'') read_single_quoted(token);
        else if (c == '$') read = read_variable(token);
        else if (c == '@') read = read_select(token);
        else read = read_punctuation(token);
        token.end = here();
        if (read) return token;
    }
}

void Scanner::read_word(RawToken& token) {
    size_t bytes = 1;
    while (is_word_char(peek(bytes))) ++bytes;
    // The only names with a colon: the message's and the destination URI's parts in comparisons and old calls.
    const std::string_view word = text_.substr(at_, bytes);
    if (word == "msg" && text_.substr(at_ + bytes, 4) == ":len" && !is_word_char(peek(bytes + 4))) bytes += 4;
    token.kind = RawKind::word;
    token.text = token.spelling = text_.substr(at_, bytes);
    advance(bytes);
}

void Scanner::read_number(RawToken& token) {
    size_t bytes = 1;
    while (is_word_char(peek(bytes))) ++bytes;
    token.spelling = text_.substr(at_, bytes);
    const auto value =
        is_binary(token.spelling) ? text::to_int(without_suffix(token.spelling), 2) : text::to_int(token.spelling, 0);
    token.kind = value ? RawKind::integer : RawKind::word;  // "3com" is part of a host name
    token.text = token.spelling;
    token.number = value.value_or(0);
    const bool numeric = std::ranges::all_of(token.spelling, is_digit) || is_binary(token.spelling);
    if (!value && numeric) {
        diagnostics_->error(
            token.at, fmt::format("the number {} is too large, or not octal", text::printable(token.spelling, 40)));
        token.kind = RawKind::integer;
    }
    advance(bytes);
}

// How many bytes from `from` are an IP address (brackets included); host gets it without brackets.
size_t Scanner::address_bytes(size_t from, std::string& host) const {
    constexpr size_t kLongest = INET6_ADDRSTRLEN;
    const bool bracket = from < text_.size() && text_[from] == '[';
    const size_t start = from + (bracket ? 1 : 0);
    size_t to = start;
    bool colon = false;
    while (to < text_.size() && to - start <= kLongest && (is_hex(text_[to]) || text_[to] == ':' || text_[to] == '.')) {
        colon |= text_[to] == ':';
        ++to;
    }
    if (to - start > kLongest) return 0;
    unsigned char binary[sizeof(in6_addr)];
    if (colon) {
        if (!bracket && to < text_.size() && is_word_char(text_[to])) return 0;
        host = text_.substr(start, to - start);
        if (inet_pton(AF_INET6, host.c_str(), binary) != 1) colon = false;
    }
    if (colon) {
        if (bracket && (to >= text_.size() || text_[to] != ']')) return 0;
        return to - from + (bracket ? 1 : 0);
    }
    if (bracket) return 0;
    to = start;
    while (to < text_.size() && (is_digit(text_[to]) || text_[to] == '.')) ++to;
    if (to < text_.size() && is_word_char(text_[to])) return 0;
    host = text_.substr(start, to - start);
    return inet_pton(AF_INET, host.c_str(), binary) == 1 ? to - from : 0;
}

bool Scanner::read_address(RawToken& token) {
    if (!is_hex(peek()) && peek() != ':' && peek() != '[') return false;
    std::string host;
    size_t bytes = address_bytes(at_, host);
    if (bytes == 0) return false;
    token.text = host;
    if (peek(bytes) == '/') {  // a network: digits or a mask follow at once
        std::string mask;
        size_t mask_bytes = address_bytes(at_ + bytes + 1, mask);
        if (mask_bytes == 0) {
            while (mask_bytes < 3 && is_digit(peek(bytes + 1 + mask_bytes))) ++mask_bytes;
            mask = text_.substr(at_ + bytes + 1, mask_bytes);
        }
        if (mask_bytes != 0) {
            token.text += '/' + mask;
            bytes += 1 + mask_bytes;
        }
    }
    token.kind = RawKind::address;
    token.spelling = text_.substr(at_, bytes);
    advance(bytes);
    return true;
}

}  // namespace kahu::config
