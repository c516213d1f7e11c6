#include "core/net/source_count.h"

#include <gtest/gtest.h>

namespace kahu::net {
namespace {

TEST(SourceCount, CountsAddressesNotPorts) {
    SourceCount count;
    const auto a1 = *SocketAddress::parse_ip("10.0.0.1", 1000), a2 = *SocketAddress::parse_ip("10.0.0.1", 2000);
    const auto b = *SocketAddress::parse_ip("::1", 1000);
    count.add(a1);
    count.add(a2);
    count.add(b);
    EXPECT_EQ(count.of(a1), 2u);
    EXPECT_EQ(count.of(b), 1u);
    count.remove(a2);
    EXPECT_EQ(count.of(a1), 1u);
    count.remove(a1);
    count.remove(a1);  // once too often must not wrap
    EXPECT_EQ(count.of(a1), 0u);
}

}  // namespace
}  // namespace kahu::net
