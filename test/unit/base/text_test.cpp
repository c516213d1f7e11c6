#include "core/base/text.h"

#include <gtest/gtest.h>

namespace kahu::text {
namespace {

struct IntCase {
    const char* name;
    std::string_view text;
    int base;
    std::optional<int64_t> value;
};
const IntCase kInts[] = {
    {"plain", "42", 10, 42},
    {"negative", "-1", 10, -1},
    {"plus", "+7", 10, 7},
    {"largest", "9223372036854775807", 10, INT64_MAX},
    {"smallest", "-9223372036854775808", 10, INT64_MIN},
    {"too_large", "9223372036854775808", 10, std::nullopt},
    {"way_too_large", "36893488147419103232", 10, std::nullopt},
    {"trailing", "12x", 10, std::nullopt},
    {"empty", "", 10, std::nullopt},
    {"sign_only", "-", 10, std::nullopt},
    {"two_signs", "--1", 10, std::nullopt},
    {"hex", "0x1F", 0, 31},
    {"octal", "010", 0, 8},
    {"zero", "0", 0, 0},
    {"hex_without_digits", "0x", 0, std::nullopt},
};
class ToInt : public testing::TestWithParam<IntCase> {};
TEST_P(ToInt, WholeTextOrNothing) { EXPECT_EQ(to_int(GetParam().text, GetParam().base), GetParam().value); }
INSTANTIATE_TEST_SUITE_P(Text, ToInt, testing::ValuesIn(kInts),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Trim, TakesBlanksOffBothEnds) {
    EXPECT_EQ(trim("  a b\t\r\n"), "a b");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim(""), "");
}

TEST(Split, KeepsEmptyFields) {
    EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
    EXPECT_EQ(split("", ','), std::vector<std::string_view>{""});
}

TEST(Printable, ShowsNothingThatCouldMoveATerminal) {
    EXPECT_EQ(printable("a\x1b[31m\n"), "a\\x1b[31m\\x0a");
    EXPECT_EQ(printable("abcdef", 3), "abc...");
    EXPECT_EQ(printable("\\"), "\\x5c");
}

TEST(Nearest, NamesWhatWasMeantAndNothingElse) {
    constexpr std::string_view known[] = {"listen", "children", "tcp_children", "alias"};
    EXPECT_EQ(nearest("lisen", known), "listen");
    EXPECT_EQ(nearest("tcp_childs", known), "tcp_children");
    EXPECT_EQ(nearest("LISTEN", known), "listen");
    EXPECT_EQ(nearest("zzzzzz", known), "");
}

}  // namespace
}  // namespace kahu::text
