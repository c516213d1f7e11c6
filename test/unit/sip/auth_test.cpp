#include "core/sip/auth.h"

#include <gtest/gtest.h>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

constexpr std::string_view kCredentials =
    "Digest username=\"bob\",\r\n realm=\"biloxi.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",\r\n "
    "uri=\"sip:bob@biloxi.com\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", "
    "response=\"6629fae49393a05397450978507c4ef1\" , opaque=\"\", algorithm=MD5, x=\"a, b\"";

TEST(Auth, DigestCredentials) {
    AuthValue got;
    Bad bad;
    ASSERT_TRUE(parse_auth(kCredentials, got, bad)) << bad.rule << " at " << bad.at;
    EXPECT_TRUE(got.is_digest);
    EXPECT_EQ(got.username, "bob");
    EXPECT_EQ(got.realm, "biloxi.com");
    EXPECT_EQ(got.nonce, "dcd98b7102dd2f0e8b11d0f600bfb0c093");
    EXPECT_EQ(got.uri, "sip:bob@biloxi.com");
    EXPECT_EQ(got.qop, "auth");
    EXPECT_EQ(got.nc, "00000001");
    EXPECT_EQ(got.response, "6629fae49393a05397450978507c4ef1");
    EXPECT_EQ(got.opaque, "");
    EXPECT_EQ(got.algorithm, "MD5");
}

TEST(Auth, OtherSchemesAreNotLookedInto) {
    AuthValue got;
    Bad bad;
    ASSERT_TRUE(parse_auth("NoOneKnowsThisScheme opaque-data=here", got, bad));  // RFC 4475 3.3.7
    EXPECT_FALSE(got.is_digest);
    EXPECT_EQ(got.scheme, "NoOneKnowsThisScheme");
    EXPECT_EQ(got.params, "opaque-data=here");
    ASSERT_TRUE(parse_auth("Basic YWxhZGRpbjpvcGVuc2VzYW1l==", got, bad));
    ASSERT_TRUE(parse_auth("Negotiate", got, bad));
}

TEST(Auth, BadOnes) {
    for (const std::string_view text :
         {"", "=", "Digest username", "Digest username=", "Digest a=b c=d", "Digest a=b,,c=d", "Digest a=\"b",
          "Digest realm=\"a\", realm=\"b\"", "Digest a=b,", "Digest,a=b"}) {
        AuthValue got;
        Bad bad;
        EXPECT_FALSE(parse_auth(text, got, bad)) << text;
        EXPECT_LE(bad.at, text.size());
    }
}

TEST(Auth, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(kCredentials, [](std::string_view text) {
        AuthValue got;
        Bad bad;
        (void)parse_auth(text, got, bad);
    });
}

}  // namespace
}  // namespace kahu::sip
