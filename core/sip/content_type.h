// core/sip/content_type.h -- media-type = type SLASH subtype *( SEMI param )     RFC 3261 20.15
#pragma once
#include <string_view>

#include "core/sip/bad.h"

namespace kahu::sip {

struct ContentType {
    std::string_view type, subtype;  // as written; compare case-insensitively
    std::string_view params;         // from the first ";", or empty
    std::string_view boundary;       // multipart; as written, quotes kept
    bool is(std::string_view want_type, std::string_view want_subtype) const;
};

bool parse_content_type(std::string_view text, ContentType& out, Bad& bad);

}  // namespace kahu::sip
