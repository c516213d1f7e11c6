#include "core/sip/method.h"

#include <gtest/gtest.h>

namespace kahu::sip {
namespace {

TEST(Method, EveryNameInTheTableIsFoundAgain) {
    for (const std::string_view name : kMethodNames) EXPECT_EQ(method_name(method_id(name)), name);
}

TEST(Method, IsCaseSensitiveAndNeverUnescaped) {
    EXPECT_EQ(method_id("invite"), Method::other);
    EXPECT_EQ(method_id("RE%47IST%45R"), Method::other);  // RFC 4475 3.1.1.5
    EXPECT_EQ(method_id(""), Method::other);
    EXPECT_EQ(method_name(Method::other), "");
}

TEST(Method, MaskHoldsTheNamedMethodsOnly) {
    MethodMask mask = 0;
    std::string_view unknown;
    ASSERT_TRUE(parse_method_mask("INVITE| ACK ,BYE", mask, unknown));
    EXPECT_EQ(mask, mask_of(Method::invite) | mask_of(Method::ack) | mask_of(Method::bye));
    EXPECT_FALSE(parse_method_mask("INVITE|NEWMETHOD", mask, unknown));
    EXPECT_EQ(unknown, "NEWMETHOD");
    EXPECT_FALSE(parse_method_mask("", mask, unknown));
    EXPECT_FALSE(parse_method_mask("INVITE|", mask, unknown));
}

}  // namespace
}  // namespace kahu::sip
