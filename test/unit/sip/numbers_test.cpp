#include "core/sip/numbers.h"

#include <gtest/gtest.h>

namespace kahu::sip {
namespace {

TEST(Numbers, UnsignedIsStrict) {
    struct Case {
        std::string_view text;
        std::optional<uint32_t> number;
    };
    constexpr Case cases[] = {
        {"0", 0},
        {"0068", 68},
        {"4294967295", 4294967295u},
        {"4294967296", {}},
        {"36893488147419103232", {}},  // RFC 4475 3.1.2.4
        {"-999", {}},
        {"+1", {}},
        {"", {}},
        {" 1", {}},
        {"1 ", {}},
        {"0x10", {}},
    };
    for (const Case& c : cases) EXPECT_EQ(parse_uint32(c.text), c.number) << c.text;
}

TEST(Numbers, DeltaSecondsAreClampedButStillDigits) {
    EXPECT_EQ(parse_delta_seconds("3600"), 3600u);
    EXPECT_EQ(parse_delta_seconds("1000000000000000000000"), 4294967295u);
    EXPECT_EQ(parse_delta_seconds("soon"), std::nullopt);
    EXPECT_EQ(parse_delta_seconds("-1"), std::nullopt);
    EXPECT_EQ(parse_delta_seconds(""), std::nullopt);
}

TEST(Numbers, Ports) {
    EXPECT_EQ(parse_port("5061"), 5061);
    EXPECT_EQ(parse_port("65535"), 65535);
    EXPECT_EQ(parse_port("65536"), std::nullopt);
    EXPECT_EQ(parse_port("0"), std::nullopt);
    EXPECT_EQ(parse_port(""), std::nullopt);
}

TEST(Numbers, QValuesInThousandths) {
    EXPECT_EQ(parse_qvalue("1"), 1000);
    EXPECT_EQ(parse_qvalue("1.000"), 1000);
    EXPECT_EQ(parse_qvalue("0.33"), 330);
    EXPECT_EQ(parse_qvalue("0."), 0);
    EXPECT_EQ(parse_qvalue("0.001"), 1);
    for (const char* bad : {"", "2", "1.1", "0.0001", ".5", "-0.5", "0,5", "0.5 ", "4294967296.0"})
        EXPECT_EQ(parse_qvalue(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace kahu::sip
