#include "core/modules/auth/digest.h"

#include <gtest/gtest.h>

namespace kahu::auth {
namespace {

struct Vector {
    const char *name, *user, *realm, *password, *nonce, *cnonce, *qop, *uri, *algorithm, *response;
};
// RFC 2617 3.5; RFC 7616 3.9.1; without qop: RFC 2069's way, computed with openssl dgst.
const Vector kVectors[] = {
    {"Rfc2617", "Mufasa", "testrealm@host.com", "Circle Of Life", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b",
     "auth", "/dir/index.html", "", "6629fae49393a05397450978507c4ef1"},
    {"Rfc7616Md5", "Mufasa", "http-auth@example.org", "Circle of Life", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
     "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth", "/dir/index.html", "MD5",
     "8ca523f5e9506fed4657c9700eebdbec"},
    {"Rfc7616Sha256", "Mufasa", "http-auth@example.org", "Circle of Life",
     "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth",
     "/dir/index.html", "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
    {"WithoutQop", "Mufasa", "testrealm@host.com", "Circle Of Life", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "",
     "/dir/index.html", "md5", "670fd8c2df070c60b045671b8b24ff02"},
};
class Vectors : public testing::TestWithParam<Vector> {};
TEST_P(Vectors, GiveThePublishedResponse) {
    const Vector& v = GetParam();
    const auto scheme = scheme_named(v.algorithm);
    ASSERT_TRUE(scheme);
    const HexDigest ha1 = ha1_of(scheme->algorithm, v.user, v.realm, v.password);
    Proof proof{*scheme, ha1.view(), v.nonce, *v.qop != '\0' ? "00000001" : "", v.cnonce, v.qop, "GET", v.uri, ""};
    EXPECT_EQ(response_to(proof).view(), v.response);
    proof.uri = "/";
    EXPECT_NE(response_to(proof).view(), v.response);
}
INSTANTIATE_TEST_SUITE_P(Rfc, Vectors, testing::ValuesIn(kVectors),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Digest, EveryPartCounts) {
    const Proof base{{Algorithm::md5, false}, "ha1", "n", "00000001", "c", "auth-int", "INVITE", "sip:b", "body"};
    Proof other = base;
    other.body = "bodY";
    EXPECT_NE(response_to(base).view(), response_to(other).view());
    other = base;
    other.scheme.session = true;
    EXPECT_NE(response_to(base).view(), response_to(other).view());
    EXPECT_FALSE(scheme_named("SHA-512-256"));
    EXPECT_TRUE(scheme_named("sha-256-SESS")->session);
    EXPECT_TRUE(same_secret("abc", "abc"));
    EXPECT_FALSE(same_secret("abc", "abd"));
    EXPECT_FALSE(same_secret("", ""));
}

}  // namespace
}  // namespace kahu::auth
