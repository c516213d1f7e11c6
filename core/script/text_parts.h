// core/script/text_parts.h -- name=value lists and lines of any text, as {param.*} and {line.*} read them.
//
// WHY    Not SIP's own parameters (core/sip/params.h), whose grammar rules out what scripts keep in variables:
//        "a=1&b=x y".  A separator inside double quotes does not separate; quotes around a value are dropped.  A comma
//        ends the list, as in Kamailio, where it is not the separator itself.
#pragma once
#include <cstddef>
#include <string_view>

namespace kahu::script {

struct TextParam {
    std::string_view name, value;
};

// Walks the list; an empty element is a parameter without a name, but for the last one.  Moves `rest` behind what was
// read; false: there are no more.
bool next_text_param(std::string_view& rest, char separator, TextParam& out);
// The first of that name, letters in either case; empty if there is none.
TextParam find_text_param(std::string_view list, char separator, std::string_view name);

// One line without its line end; false: there are no more.
bool next_line(std::string_view& rest, std::string_view& line);

}  // namespace kahu::script
