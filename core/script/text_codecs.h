// core/script/text_codecs.h -- encodings that transformations offer: hex, base64, percent, quotes, digests.
//
// LIVES  Results are in the arena.
// FAILS  Decoders return nullopt for text that is not in that encoding; they never read past it.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/script/arena.h"

namespace kahu::script {

std::string_view encode_hex(std::string_view text, Arena& arena);
std::optional<std::string_view> decode_hex(std::string_view text, Arena& arena);

enum class Base64 : unsigned char { standard, url };
std::string_view encode_base64(std::string_view text, Base64 alphabet, bool padded, Arena& arena);
std::optional<std::string_view> decode_base64(std::string_view text, Base64 alphabet,
                                              Arena& arena);  // padding optional

std::string_view encode_base58(std::string_view text, Arena& arena);  // at most 512 bytes: its cost is quadratic
std::optional<std::string_view> decode_base58(std::string_view text, Arena& arena);

// GSM 03.38 packing of 7-bit characters, as hexadecimal (SMS PDUs).
std::string_view encode_7bit(std::string_view text, Arena& arena);
std::optional<std::string_view> decode_7bit(std::string_view text, Arena& arena);

// %HH for what is not allowed in that part of a URI (RFC 3261 25.1).
std::string_view escape_user(std::string_view text, Arena& arena);
std::string_view escape_param(std::string_view text, Arena& arena);
std::string_view escape_form(std::string_view text, Arena& arena);  // application/x-www-form-urlencoded: blank is "+"
std::optional<std::string_view> unescape_percent(std::string_view text, bool plus_is_blank, Arena& arena);

std::string_view escape_quotes(std::string_view text, Arena& arena);  // ' " \ and NUL with a backslash before them
std::string_view unescape_quotes(std::string_view text, Arena& arena);
std::string_view escape_csv(std::string_view text, Arena& arena);   // RFC 4180: quoted, quotes doubled
std::string_view escape_crlf(std::string_view text, Arena& arena);  // CR and LF as \r and \n
std::string_view unescape_crlf(std::string_view text, Arena& arena);

// The hash by which Kamailio's tables and {s.corehash} spread texts.
uint32_t core_hash(std::string_view text);
// Lower-case hexadecimal; `algorithm` as OpenSSL names it ("MD5", "SHA2-256").  "" if it is not available.
std::string_view digest(std::string_view text, const char* algorithm, Arena& arena);

}  // namespace kahu::script
