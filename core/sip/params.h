// core/sip/params.h -- generic parameters (;name=value ;flag ;name="quoted") and comma lists.
//
// WHY    Via, Contact, Route, Authorization and a dozen more share these two shapes.
// LIVES  Views into the given text.
#pragma once
#include <optional>
#include <string_view>

#include "core/sip/bad.h"

namespace kahu::sip {

struct Param {
    std::string_view name;
    std::string_view value;  // as written: a quoted value keeps its quotes (see unquote())
    bool has_value = false;  // "rport" has none, "rport=" is bad
    std::string_view whole;  // name and value, without the separator

    bool quoted() const { return !value.empty() && value.front() == '"'; }
};

// Walks ";a=1;b" -- the text begins with the separator or is empty; white space around separators and
// "=" is skipped.  A value is a token, a host (IPv6 reference included) or a quoted-string.
// Stops without failure at a comma, where an element of a list ends; at() tells.
//     ParamScanner scan(via.params); Param p;
//     while (scan.next(p)) ...
//     if (scan.bad()) ...                        // stopped early: bad()->rule, offset into the text
class ParamScanner {
  public:
    explicit ParamScanner(std::string_view text, char separator = ';') : text_(text), separator_(separator) {}
    bool next(Param& out);
    const Bad* bad() const { return failed_ ? &bad_ : nullptr; }
    size_t at() const { return at_; }  // text.size(), or the offset of the comma

  private:
    bool fail(const char* rule, size_t at) {
        bad_ = {rule, at};
        failed_ = true;
        return false;
    }
    std::string_view text_;
    size_t at_ = 0;
    char separator_;
    bool failed_ = false;
    Bad bad_;
};

// The first parameter of that name (case-insensitive), if the text is well-formed up to it.
std::optional<Param> find_param(std::string_view params, std::string_view name);

// Splits a header value at its top-level commas: not inside "quotes" or <angle brackets>.  Pieces are
// trimmed; empty ones (",,") are skipped, as RFC 3261 7.3.1's list grammar does not have them but
// lenient receivers ignore them.
//     ListSplitter list(header.value); std::string_view piece;
//     while (list.next(piece)) ...
class ListSplitter {
  public:
    explicit ListSplitter(std::string_view text) : text_(text) {}
    bool next(std::string_view& piece);

  private:
    std::string_view text_;
    size_t at_ = 0;
};

// Offset of the first comma of `text` outside quotes and angle brackets, or npos.
size_t find_list_comma(std::string_view text);

}  // namespace kahu::sip
