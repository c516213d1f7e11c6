// core/sip/scan.h -- character classes of RFC 3261 25.1 and the Cursor every header parser reads through.
//
// WHY    A Cursor never reads past its end, allocates nothing and logs nothing.  Results are views
//        into the receive buffer and die with it.
// FAILS  A parser returns false and fills Bad with the broken rule and the offset.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/sip/bad.h"

namespace kahu::sip {

// One bit per class; a character's row in kCharClass says in which classes it is.
enum CharClass : uint16_t {
    kToken = 1,         // token: alphanum - . ! % * _ + ` ' ~
    kDigit = 2,         // 0-9
    kHex = 4,           // 0-9 a-f A-F
    kAlpha = 8,         // A-Z a-z
    kBlank = 16,        // SP HT
    kLws = 32,          // SP HT CR LF: what may stand between tokens once lines are folded
    kWord = 64,         // word: token characters and ( ) < > : \ " / [ ] ? { }  (Call-ID)
    kUnreserved = 128,  // alphanum and mark: - _ . ! ~ * ' ( )
    kUser = 256,        // unreserved and user-unreserved & = + $ , ; ? / -- and %, checked apart
    kParam = 512,       // paramchar: unreserved and [ ] / : & + $ -- and %
    kHost = 1024,       // alphanum - . _ (underscore is not in the RFC, but is in real host names)
    kScheme = 2048,     // alphanum + - .
    kValue = 8192,      // header parameter value: token, host, IPv6, and what is really sent: @ =
    kUriAny = 4096,     // any character that a URI may contain (RFC 3986), for opaque ones
};

namespace detail {
constexpr void mark(std::array<uint16_t, 256>& t, std::string_view chars, unsigned bits) {
    for (const char c : chars) t[static_cast<unsigned char>(c)] |= static_cast<uint16_t>(bits);
}
constexpr std::array<uint16_t, 256> make_char_classes() {
    std::array<uint16_t, 256> t{};
    constexpr unsigned everywhere = kToken | kWord | kUnreserved | kUser | kParam | kHost | kScheme | kUriAny | kValue;
    mark(t, "0123456789", everywhere | kDigit | kHex);
    mark(t, "abcdefABCDEF", kHex);
    mark(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", everywhere | kAlpha);
    mark(t, "-.!%*_+`'~", kToken | kWord | kValue);
    mark(t, "()<>:\\\"/[]?{}", kWord);
    mark(t, "-_.!~*'()", kUnreserved | kUser | kParam | kUriAny);
    mark(t, "&=+$,;?/%", kUser | kUriAny);
    mark(t, "[]/:&+$%", kParam | kUriAny | kValue);
    mark(t, "@()=", kValue);
    mark(t, "-._", kHost);
    mark(t, "+-.", kScheme);
    mark(t, "@#=|^`", kUriAny);
    mark(t, " \t", kBlank | kLws);
    mark(t, "\r\n", kLws);
    return t;
}
}  // namespace detail

inline constexpr std::array<uint16_t, 256> kCharClass = detail::make_char_classes();

constexpr bool is_in(char c, unsigned classes) { return (kCharClass[static_cast<unsigned char>(c)] & classes) != 0; }
constexpr bool is_token(char c) { return is_in(c, kToken); }
constexpr bool is_digit(char c) { return is_in(c, kDigit); }
constexpr bool is_hex(char c) { return is_in(c, kHex); }
constexpr bool is_alpha(char c) { return is_in(c, kAlpha); }
constexpr bool is_blank(char c) { return is_in(c, kBlank); }
constexpr bool is_lws(char c) { return is_in(c, kLws); }
constexpr bool is_utf8_byte(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// True if every character of a text is in one of the classes; true for an empty text.
constexpr bool all_in(std::string_view text, unsigned classes) {
    for (const char c : text)
        if (!is_in(c, classes)) return false;
    return true;
}
// Without the white space (folds included) at both ends.
// Of nothing but white space, its beginning is left: what is written there stays on the line.
constexpr std::string_view trim_lws(std::string_view s) {
    while (!s.empty() && is_lws(s.back())) s.remove_suffix(1);
    while (!s.empty() && is_lws(s.front())) s.remove_prefix(1);
    return s;
}

class Cursor {
  public:
    constexpr explicit Cursor(std::string_view in) : in_(in) {}

    constexpr bool done() const { return at_ == in_.size(); }
    constexpr size_t at() const { return at_; }
    constexpr std::string_view rest() const { return in_.substr(at_); }
    constexpr std::string_view from(size_t start) const { return in_.substr(start, at_ - start); }
    constexpr char peek() const { return done() ? '\0' : in_[at_]; }  // a NUL in the text also reads as '\0'
    constexpr bool next_is(char c) const { return at_ < in_.size() && in_[at_] == c; }
    constexpr void skip(size_t n) { at_ += n < in_.size() - at_ ? n : in_.size() - at_; }
    constexpr void rewind(size_t at) { at_ = at <= in_.size() ? at : in_.size(); }

    constexpr bool eat(char c) {
        if (!next_is(c)) return false;
        ++at_;
        return true;
    }
    constexpr std::string_view take(unsigned classes) {
        const size_t start = at_;
        while (at_ < in_.size() && is_in(in_[at_], classes)) ++at_;
        return in_.substr(start, at_ - start);
    }
    constexpr std::string_view take_token() { return take(kToken); }
    constexpr bool skip_lws() { return !take(kLws).empty(); }

    // A separator with white space around it: SEMI, COMMA, EQUAL, SLASH, COLON of RFC 3261 25.1.
    // Consumes nothing if it is not there.
    constexpr bool eat_separator(char c) {
        const size_t start = at_;
        skip_lws();
        if (!eat(c)) {
            at_ = start;
            return false;
        }
        skip_lws();
        return true;
    }
    // A quoted-string with its quotes, backslash escapes kept; empty (and nothing consumed) if there
    // is none or it does not end.
    constexpr std::string_view take_quoted() {
        if (!next_is('"')) return {};
        for (size_t i = at_ + 1; i < in_.size(); ++i) {
            if (in_[i] == '\\') {
                ++i;
            } else if (in_[i] == '"') {
                const size_t start = at_;
                at_ = i + 1;
                return in_.substr(start, at_ - start);
            }
        }
        return {};
    }

  private:
    std::string_view in_;
    size_t at_ = 0;
};

}  // namespace kahu::sip
