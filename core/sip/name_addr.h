// core/sip/name_addr.h -- ( name-addr / addr-spec ) *( SEMI param )    RFC 3261 20.10, 25.1
//
// WHY    From, To, Contact, Route, Record-Route, Path, Refer-To, P-Asserted-Identity ... all have this shape.
// LIVES  Views into the header's value.
// FAILS  False with the broken rule.  The URI itself is only delimited, not parsed: call parse_uri(uri).
#pragma once
#include <string_view>

#include "core/sip/bad.h"
#include "core/sip/element_list.h"
#include "core/sip/uri.h"

namespace kahu::sip {

struct NameAddr {
    std::string_view text;     // this element, without its comma
    std::string_view display;  // as written, quotes kept (see unquote()); or empty
    std::string_view uri;      // without < >
    std::string_view params;   // header parameters from the first ";", or empty
    std::string_view tag;      // value of ;tag, or empty
    bool bracketed = false;    // <uri>; without brackets every ";param" belongs to the header (20.10)
};

// Reads the element at the start of `text`; `used` is text.size() or the offset behind the comma that ended it.
bool parse_name_addr(std::string_view text, NameAddr& out, size_t& used, Bad& bad);
// A header that holds exactly one (From, To, Refer-To): a comma behind it is bad.
bool parse_single_name_addr(std::string_view text, NameAddr& out, Bad& bad);

// Every element of a list header (Route, Record-Route, Path, P-Asserted-Identity).
using NameAddrList = ElementList<NameAddr, parse_name_addr>;

}  // namespace kahu::sip
