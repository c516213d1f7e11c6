#include "core/sip/content_type.h"

#include <gtest/gtest.h>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

TEST(ContentType, TypeSubtypeAndBoundary) {
    ContentType got;
    Bad bad;
    ASSERT_TRUE(parse_content_type("Application / SDP", got, bad));
    EXPECT_TRUE(got.is("application", "sdp"));
    EXPECT_EQ(got.params, "");
    ASSERT_TRUE(parse_content_type("multipart/mixed;\r\n boundary=\"a b\";charset=utf-8", got, bad));
    EXPECT_TRUE(got.is("multipart", "mixed"));
    EXPECT_FALSE(got.is("multipart", "signed"));
    EXPECT_EQ(got.boundary, "\"a b\"");
}

TEST(ContentType, BadOnes) {
    for (const std::string_view text :
         {"", "application", "application/", "/sdp", "a/b;", "a/b c", "a/b, c/d", "a/b;x=\""}) {
        ContentType got;
        Bad bad;
        EXPECT_FALSE(parse_content_type(text, got, bad)) << text;
        EXPECT_LE(bad.at, text.size());
    }
}

TEST(ContentType, NoPrefixIsReadPastItsEnd) {
    on_every_prefix("multipart/mixed;boundary=\"x\\\"y\"; a=b", [](std::string_view text) {
        ContentType got;
        Bad bad;
        (void)parse_content_type(text, got, bad);
    });
}

}  // namespace
}  // namespace kahu::sip
