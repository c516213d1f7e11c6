#include "core/sip/scan.h"

#include <gtest/gtest.h>

namespace kahu::sip {
namespace {

TEST(Scan, ClassesAreThoseOfTheGrammar) {
    constexpr std::string_view alphanum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const auto members = [](unsigned bits) {
        int count = 0;
        for (int c = 0; c < 256; ++c) count += is_in(static_cast<char>(c), bits) ? 1 : 0;
        return count;
    };
    for (const char c : alphanum)
        for (const unsigned bits : {kToken, kWord, kUnreserved, kUser, kParam, kHost, kScheme, kUriAny, kValue})
            EXPECT_TRUE(is_in(c, bits)) << c << bits;
    EXPECT_EQ(members(kDigit), 10);
    EXPECT_EQ(members(kHex), 22);
    EXPECT_EQ(members(kAlpha), 52);
    EXPECT_EQ(members(kToken), 62 + 10);      // - . ! % * _ + ` ' ~
    EXPECT_EQ(members(kWord), 62 + 10 + 13);  // ( ) < > : \ " / [ ] ? { }
    EXPECT_EQ(members(kUnreserved), 62 + 9);  // - _ . ! ~ * ' ( )
    EXPECT_EQ(members(kUser), 62 + 9 + 9);    // & = + $ , ; ? / %
    EXPECT_EQ(members(kParam), 62 + 9 + 8);   // [ ] / : & + $ %
    EXPECT_EQ(members(kLws), 4);
    EXPECT_EQ(kCharClass[0], 0);
    for (int c = 128; c < 256; ++c) EXPECT_EQ(kCharClass[static_cast<size_t>(c)], 0);
}

TEST(Cursor, SeparatorsTakeTheirWhiteSpace) {
    Cursor in("a \r\n ; b");
    EXPECT_EQ(in.take_token(), "a");
    EXPECT_FALSE(in.eat_separator(','));
    EXPECT_EQ(in.at(), 1u) << "nothing consumed";
    EXPECT_TRUE(in.eat_separator(';'));
    EXPECT_EQ(in.rest(), "b");
    in.skip(100);
    EXPECT_TRUE(in.done());
    EXPECT_EQ(in.peek(), '\0');
}

TEST(Cursor, QuotedStrings) {
    EXPECT_EQ(Cursor("\"a\\\"b\" c").take_quoted(), "\"a\\\"b\"");
    EXPECT_EQ(Cursor("\"\"").take_quoted(), "\"\"");
    for (const std::string_view open : {"\"", "\"a", "\"a\\", "\"a\\\"", "a\"b\"", ""}) {
        Cursor in(open);
        EXPECT_EQ(in.take_quoted(), "") << open;
        EXPECT_EQ(in.at(), 0u);
    }
}

TEST(Scan, TrimTakesFoldsToo) {
    EXPECT_EQ(trim_lws("\r\n a b \t\r\n"), "a b");
    EXPECT_EQ(trim_lws(" \r\n"), "");
}

}  // namespace
}  // namespace kahu::sip
