// core/sip/quoting.h -- turning wire text into plain text: folding, quoted strings, %-escapes.
//
// WHY    Parsed values are views of what was sent.  Whoever compares or stores a value converts it
//        first; whoever forwards it must not.
// FAILS  Never: what is not an escape is kept as it is.
#pragma once
#include <string>
#include <string_view>

namespace kahu::sip {

// Line folds (CRLF followed by blanks) become one space.  Returns `text` itself when it has none;
// otherwise fills `out` and returns a view of it.
std::string_view unfold(std::string_view text, std::string& out);

// "a\"b" -> a"b.  Text without quotes around it comes back unchanged.  Returns a view of `text` when it
// holds no backslash, otherwise of `out`.
std::string_view unquote(std::string_view text, std::string& out);

// %41 -> A (RFC 3986 2.1).  A % that two hex digits do not follow stays.  May yield NUL octets (RFC 4475 3.1.1.4).
std::string_view unescape(std::string_view text, std::string& out);

// The reverse of unquote(), for building.
void append_quoted(std::string_view text, std::string& out);

}  // namespace kahu::sip
