#include "core/script/addresses.h"

#include <gtest/gtest.h>

namespace kahu::script {
namespace {

TEST(Addresses, TextIsWhatTheSystemWrites) {
    char into[kIpTextBytes];
    for (const char* ip : {"0.0.0.0", "1.2.3.4", "9.10.99.100", "127.0.0.1", "192.168.109.255", "255.255.255.255",
                           "::", "::1", "2001:db8::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"}) {
        const auto address = SocketAddress::parse_ip(ip, 5060);
        ASSERT_TRUE(address) << ip;
        EXPECT_EQ(ip_text(*address, into), address->ip());
        EXPECT_STREQ(into, address->ip().c_str());
    }
    for (unsigned octet = 0; octet < 256; ++octet) {
        const std::string ip = "10.0.0." + std::to_string(octet);
        EXPECT_EQ(ip_text(*SocketAddress::parse_ip(ip), into), ip);
    }
    EXPECT_EQ(ip_text(SocketAddress(), into), "");
}

}  // namespace
}  // namespace kahu::script
