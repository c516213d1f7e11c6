#include "rpc/address.h"

#include <gtest/gtest.h>

namespace kahu::rpc {
namespace {

struct Case {
    const char* given;
    const char* text;  // "" : refused
};
constexpr Case kCases[] = {
    {"unix:/run/x", "unixs:/run/x"},
    {"unixs:/run/x", "unixs:/run/x"},
    {"/run/x", "unixs:/run/x"},
    {"./ctl", "unixs:./ctl"},
    {"ctl", "unixs:ctl"},
    {"unixd:/run/x", "unixd:/run/x"},
    {"fifo:/run/x", "fifo:/run/x"},
    {"UNIX:/run/X", "unixs:/run/X"},
    {"/run/with:colon", "unixs:/run/with:colon"},
    {"tcp:localhost:2050", "tcp:localhost:2050"},
    {"tcp:localhost", "tcp:localhost:2049"},
    {"udp:127.0.0.1", "udp:127.0.0.1:2049"},
    {"127.0.0.1:2050", "udp:127.0.0.1:2050"},
    {"tcp:[::1]:2050", "tcp:[::1]:2050"},
    {"tcp:[::1]", "tcp:[::1]:2049"},
    {"tcp:*:2050", "tcp:*:2050"},
    {"", ""},
    {"unix:", ""},
    {"tcp:", ""},
    {"tcp::5", ""},
    {"tcp:h:0", ""},
    {"tcp:h:65536", ""},
    {"tcp:h:x", ""},
    {"tcp:::1:5", ""},
    {"tcp:[::1", ""},
    {"tcp:[::1]x", ""},
};

TEST(Address, Grammar) {
    for (const Case& c : kCases) {
        const auto address = parse_address(c.given);
        ASSERT_EQ(static_cast<bool>(address), c.text[0] != '\0') << c.given;
        if (address) {
            EXPECT_EQ(address->text(), c.text) << c.given;
        } else {
            EXPECT_FALSE(address.error().hint.empty());
        }
    }
    EXPECT_FALSE(parse_address("/" + std::string(107, 'x')));
    EXPECT_FALSE(parse_address(std::string_view("/a\0b", 4)));
}

TEST(Address, WhatIsPrintedIsReadBack) {
    for (const Case& c : kCases)
        if (const auto address = parse_address(c.given)) {
            EXPECT_EQ(parse_address(address->text())->text(), address->text());
        }
}

TEST(Address, KahucmdTakesABareHost) { EXPECT_EQ(parse_address("localhost", true)->text(), "udp:localhost:2049"); }

}  // namespace
}  // namespace kahu::rpc
