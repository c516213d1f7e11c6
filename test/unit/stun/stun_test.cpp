// Binding requests and their answers, octet by octet.
#include "core/modules/stun/stun.h"

#include <gtest/gtest.h>

namespace kahu::stun {
namespace {

const SocketAddress kV4 = *SocketAddress::parse_ip("192.0.2.1", 32853);
const SocketAddress kV6 = *SocketAddress::parse_ip("2001:db8:1234:5678:11:2233:4455:6677", 32853);
// The transaction of RFC 5769 2.
const std::string kId = "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

std::string request(const std::string& attributes = "", const std::string& cookie = "\x21\x12\xa4\x42") {
    std::string out("\0\1", 2);
    out += static_cast<char>(attributes.size() >> 8);
    out += static_cast<char>(attributes.size() & 255);
    return out + cookie + kId + attributes;
}
std::string answered(const std::string& bytes, const SocketAddress& from = kV4) {
    std::string out = "untouched";
    return answer(bytes, from, out) ? out : "";
}

TEST(Stun, TellsTheAddress) {
    // RFC 5769 2.2: the address 192.0.2.1:32853 of that transaction.
    EXPECT_EQ(answered(request()), std::string("\1\1\0\14", 4) + "\x21\x12\xa4\x42" + kId +
                                       std::string("\0\x20\0\x08\0\x01\xa1\x47\xe1\x12\xa6\x43", 12));
    // RFC 5769 2.3.
    EXPECT_EQ(answered(request(), kV6),
              std::string("\1\1\0\30", 4) + "\x21\x12\xa4\x42" + kId +
                  std::string("\0\x20\0\x14\0\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5"
                              "\xbe\xd2\xb9\xd9",
                              24));
}
TEST(Stun, OldRequestsGetThePlainAddress) {
    EXPECT_EQ(answered(request("", "abcd")),
              std::string("\1\1\0\14", 4) + "abcd" + kId + std::string("\0\1\0\x08\0\1\x80\x55\xc0\0\2\1", 12));
}
TEST(Stun, WhatMayBeIgnoredIsIgnored) { EXPECT_EQ(answered(request(std::string("\x80\x22\0\3abc\0", 8))).size(), 32u); }
TEST(Stun, WhatMustBeUnderstoodIsRefused) {
    const std::string out = answered(request(std::string("\0\6\0\4user", 8)));
    EXPECT_EQ(out.substr(0, 2), std::string("\1\x11", 2));
    EXPECT_NE(out.find(std::string("\0\0\4\24Unknown Attribute", 21)), out.npos);
    EXPECT_EQ(out.substr(out.size() - 8), std::string("\0\x0a\0\2\0\6\0\0", 8));
    EXPECT_EQ(out.size() % 4, 0u);
    EXPECT_EQ(static_cast<size_t>(out[3]), out.size() - kHeaderBytes);
}
TEST(Stun, OthersAreNotAnswered) {
    std::string response = request();
    response[0] = 1;
    std::string longer = request() + "four", odd = request() + "x";
    for (const std::string& bytes :
         {std::string(), std::string(19, '\0'), response, longer, odd, request(std::string("\0\6\0\10user", 8)),
          std::string("OPTIONS sip:a SIP/2.0\r\n\r\n"), request().substr(0, 19)})
        EXPECT_EQ(answered(bytes), "") << bytes.size();
    EXPECT_FALSE(looks_like_stun("OPTIONS sip:127.0.0.1 SIP/2.0\r\n\r\n"));
    EXPECT_FALSE(looks_like_stun("\r\n\r\n"));
}

}  // namespace
}  // namespace kahu::stun
