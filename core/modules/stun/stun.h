// core/modules/stun/stun.h -- answers to STUN Binding requests, as phones send them to keep a UDP flow open (RFC
// 5626 4.4.2, RFC 5389; without the magic cookie RFC 3489).
//
// LIVES  Pure functions: one datagram in, one out.
// FAILS  answer() returns false for what is no well-formed Binding request: it is left to whoever is next, or dropped.
#pragma once
#include <string>
#include <string_view>

#include "core/base/address.h"

namespace kahu::stun {

inline constexpr size_t kHeaderBytes = 20;

// The first two bits of STUN are 0; no SIP message begins with an octet below 0x20.
inline bool looks_like_stun(std::string_view datagram) {
    return datagram.size() >= kHeaderBytes && static_cast<unsigned char>(datagram[0]) < 0x04;
}
// The answer says which address the request came from; with attributes that must be understood and are not: error 420.
bool answer(std::string_view request, const SocketAddress& from, std::string& out);

}  // namespace kahu::stun
