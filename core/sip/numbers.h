// core/sip/numbers.h -- delta-seconds, 1*DIGIT and q-values.  All strict: the whole text is the number.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace kahu::sip {

// 1*DIGIT up to 2**32-1; none if empty, signed, longer, or followed by anything.
std::optional<uint32_t> parse_uint32(std::string_view text);
// Expires and the like: overlarge digits are clamped to 2**32-1 (RFC 4475 3.1.2.4 allows it), all else
// as parse_uint32.
std::optional<uint32_t> parse_delta_seconds(std::string_view text);
std::optional<uint16_t> parse_port(std::string_view text);  // 1..65535
// ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths: "0.5" is 500.
std::optional<uint16_t> parse_qvalue(std::string_view text);

}  // namespace kahu::sip
