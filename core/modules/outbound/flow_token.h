// core/modules/outbound/flow_token.h -- a flow as text that only this server can have written (RFC 5626 5.2).
//
//   token  base64url, no padding, of:  16 octets HMAC-SHA-256 over the rest (its first half)
//                                       1       0x80 not the only way, 0x40 IPv6, low bits the transport
//                                       6 or 18 address and port of our socket
//                                       6 or 18 address and port of the peer
//                                       8       connection, streams only
//
// WHY    Nothing is stored for a token: it survives the process that wrote it, and with a secret of the configuration
//        the server.  The connection's number makes a token of an ended connection good for nothing, whoever has its
//        port.
// LIVES  Pure functions; the hashing context is one per process, made at first use.
// FAILS  read_token() says none for text that no token looks like, broken for one that was made by somebody else or
//        changed.  Compared in constant time.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "core/script/flows.h"

namespace kahu::outbound {

using Key = std::array<unsigned char, 32>;
Key key_of(std::string_view secret);  // SHA-256

// What is at least that long and of the alphabet is taken for a token: one that was cut is broken, not none.
inline constexpr size_t kShortestToken = 32;
inline constexpr size_t kLongestToken = 83;

enum class Token : uint8_t { none, broken, good };
Token read_token(std::string_view text, const Key& key, script::PeerFlow& out);
void append_token(const script::PeerFlow& flow, const Key& key, std::string& out);

}  // namespace kahu::outbound
