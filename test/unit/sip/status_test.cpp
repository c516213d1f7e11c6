#include "core/sip/status.h"

#include <gtest/gtest.h>

namespace kahu::sip {
namespace {

TEST(Status, EveryRowIsFoundAndHasAPhrase) {
    for (const StatusRow& row : status_table()) {
        EXPECT_EQ(reason_phrase(row.code), row.reason);
        EXPECT_FALSE(row.reason.empty());
        EXPECT_EQ(row.reason.find_first_of("\r\n"), std::string_view::npos);
    }
}

TEST(Status, OthersAreNamedByTheirClass) {
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(299), "Success");
    EXPECT_EQ(reason_phrase(471), "Client Error");
    EXPECT_EQ(reason_phrase(699), "Global Failure");
    EXPECT_EQ(reason_phrase(99), "");
    EXPECT_EQ(reason_phrase(700), "");
    EXPECT_EQ(reason_phrase(-1), "");
}

}  // namespace
}  // namespace kahu::sip
