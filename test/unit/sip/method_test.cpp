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

}  // namespace
}  // namespace kahu::sip
