#include "core/sip/cseq.h"

#include <gtest/gtest.h>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

struct Case {
    const char* name;
    std::string_view text;
    bool ok;
    uint32_t number;
    std::string_view method;
};
constexpr Case kCases[] = {
    {"plain", "1 INVITE", true, 1, "INVITE"},
    {"wide_space", "42 \t ACK", true, 42, "ACK"},
    {"folded", "0009\r\n  INVITE", true, 9, "INVITE"},
    {"largest", "4294967295 BYE", true, 4294967295, "BYE"},
    {"unknown_method", "7 NEW-METHOD!", true, 7, "NEW-METHOD!"},
    {"too_large", "4294967296 BYE", false, 0, ""},
    {"rfc4475_scalar02", "36893488147419103232 REGISTER", false, 0, ""},
    {"no_method", "7 ", false, 0, ""},
    {"no_space", "7INVITE", false, 0, ""},
    {"no_number", "INVITE", false, 0, ""},
    {"negative", "-1 INVITE", false, 0, ""},
    {"more", "1 INVITE x", false, 0, ""},
    {"empty", "", false, 0, ""},
};
class CSeqTable : public testing::TestWithParam<Case> {};

TEST_P(CSeqTable, ParsesOrNamesTheBrokenRule) {
    CSeq got;
    Bad bad;
    ASSERT_EQ(parse_cseq(GetParam().text, got, bad), GetParam().ok) << bad.rule << " at " << bad.at;
    if (!GetParam().ok) {
        EXPECT_LE(bad.at, GetParam().text.size());
        return;
    }
    EXPECT_EQ(got.number, GetParam().number);
    EXPECT_EQ(got.method_name, GetParam().method);
    EXPECT_EQ(got.method, method_id(GetParam().method));
}
TEST_P(CSeqTable, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(GetParam().text, [](std::string_view text) {
        CSeq got;
        Bad bad;
        (void)parse_cseq(text, got, bad);
    });
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, CSeqTable, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

}  // namespace
}  // namespace kahu::sip
