#include "core/sip/quoting.h"

#include <gtest/gtest.h>

#include "core/sip/scan.h"

namespace kahu::sip {
namespace {

using namespace std::string_view_literals;

TEST(Quoting, UnfoldTurnsEveryFoldIntoOneSpace) {
    std::string out;
    const std::string_view plain = "no  fold\there";
    EXPECT_EQ(unfold(plain, out).data(), plain.data()) << "no copy without need";
    EXPECT_EQ(unfold("a\r\n b", out), "a b");
    EXPECT_EQ(unfold("a  \r\n\t  \r\n b c", out), "a b c");
    EXPECT_EQ(unfold("a  b\n c", out), "a  b c");
    EXPECT_EQ(unfold("", out), "");
}

TEST(Quoting, UnquoteRemovesQuotesAndBackslashes) {
    std::string out;
    EXPECT_EQ(unquote("\"plain\"", out), "plain");
    EXPECT_EQ(unquote("\"J \\\\\\\"\"", out), "J \\\"");
    EXPECT_EQ(unquote("\"NUL:\\\0\""sv, out), "NUL:\0"sv);
    EXPECT_EQ(unquote("token", out), "token");
    EXPECT_EQ(unquote("\"", out), "\"");
    EXPECT_EQ(unquote("\"\"", out), "");
}

TEST(Quoting, UnescapeKeepsWhatIsNoEscape) {
    std::string out;
    EXPECT_EQ(unescape("sips%3Auser%40example.com", out), "sips:user@example.com");
    EXPECT_EQ(unescape("%00%00", out), "\0\0"sv);  // RFC 4475 3.1.1.4
    EXPECT_EQ(unescape("100%", out), "100%");
    EXPECT_EQ(unescape("%4", out), "%4");
    EXPECT_EQ(unescape("%G1", out), "%G1");
}

TEST(Quoting, WhatIsQuotedComesBack) {
    for (const std::string_view text : {"", "plain", "say \"hi\"", "back\\slash", "\\\""}) {
        std::string quoted, out;
        append_quoted(text, quoted);
        Cursor in(quoted);
        EXPECT_EQ(in.take_quoted(), quoted);
        EXPECT_EQ(unquote(quoted, out), text);
    }
    std::string quoted;
    append_quoted("a\r\nVia: evil", quoted);
    EXPECT_EQ(quoted, "\"aVia: evil\"") << "no header can be injected";
}

}  // namespace
}  // namespace kahu::sip
