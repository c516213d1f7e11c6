#include "core/sip/edit.h"

#include <gtest/gtest.h>

namespace kahu::sip {
namespace {

constexpr std::string_view kText =
    "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nMax-Forwards: 70\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc";

class Edits : public testing::Test {
  protected:
    void SetUp() override {
        Bad bad;
        ASSERT_TRUE(message_.parse(kText, bad));
    }
    std::string applied() {
        std::string out;
        edits_.apply(message_.bytes(), out);
        return out;
    }
    Message message_;
    EditList edits_;
};

TEST_F(Edits, NoneCopies) { EXPECT_EQ(applied(), kText); }

TEST_F(Edits, ForgetWhatIsReplacedAgain) {
    const std::string_view value = message_.first("X")->value;
    edits_.replace_part(message_, value, "first");
    edits_.append_header(message_, "P: kept\r\n");
    edits_.forget(message_.offset_of(value), value.size());
    edits_.replace_part(message_, value, "second");
    EXPECT_NE(applied().find("X: second\r\n"), std::string::npos) << applied();
    EXPECT_NE(applied().find("P: kept\r\n"), std::string::npos) << applied();
}

TEST_F(Edits, ForgetLeavesWhatStandsBesideIt) {
    const std::string_view value = message_.first(HeaderId::max_forwards)->value;
    const size_t at = message_.offset_of(value);
    edits_.insert(at, "<");
    edits_.insert(at + value.size(), ">");
    edits_.insert(at + 1, "inside");
    edits_.forget(at, value.size());
    edits_.replace_part(message_, value, "new");
    EXPECT_NE(applied().find("Max-Forwards: <new>\r\n"), std::string::npos) << applied();
}
TEST_F(Edits, ForgetALineThatWasAdded) {
    edits_.append_header(message_, "Y: 1\r\n");
    edits_.append_header(message_, "Y: 2\r\nZ: 3\r\n");  // more than that line
    edits_.forget_line("y:");
    EXPECT_EQ(applied().find("Y: 1"), std::string::npos) << applied();
    EXPECT_NE(applied().find("Y: 2\r\nZ: 3\r\n"), std::string::npos) << applied();
}
TEST_F(Edits, ForgetTheBody) {
    const size_t body = message_.head().size();
    edits_.append_header(message_, "Y: 1\r\n");
    edits_.insert(body, "in front");
    edits_.insert(message_.bytes().size(), "behind");
    edits_.forget_from(body);
    EXPECT_NE(applied().find("Y: 1\r\n\r\n"), std::string::npos) << applied();
    EXPECT_EQ(applied().size(), kText.size() + 6);
}

TEST_F(Edits, WhatAProxyDoes) {
    edits_.append_header(message_, "P: last\r\n");
    edits_.replace_part(message_, message_.first(HeaderId::max_forwards)->value, "69");
    edits_.insert_before(message_, *message_.first(HeaderId::via), "Via: mine\r\n");
    edits_.remove_header(message_, *message_.first("X"));
    edits_.replace_part(message_, message_.request_uri(), "sip:bob@b");
    edits_.insert_after(message_, *message_.first(HeaderId::via), "R: r\r\n");
    edits_.replace_body(message_, "longer body");
    EXPECT_EQ(applied(),
              "BYE sip:bob@b SIP/2.0\r\nVia: mine\r\nVia: SIP/2.0/UDP h\r\nR: r\r\nMax-Forwards: 69\r\n"
              "Content-Length: 11\r\nP: last\r\n\r\nlonger body");
}

TEST_F(Edits, ArrivalOrderAtOneOffset) {
    edits_.prepend_header(message_, "A: 1\r\n");
    edits_.prepend_header(message_, "B: 2\r\n");
    EXPECT_EQ(applied().substr(0, 31), "BYE sip:a SIP/2.0\r\nA: 1\r\nB: 2\r\n");
}

TEST_F(Edits, WhatIsInsideOfARemovalGoesWithIt) {
    edits_.insert(4, "<");
    edits_.remove(4, 10);
    edits_.remove(6, 4);
    edits_.replace(8, 10, "partly");
    edits_.insert(10, "inside");
    edits_.insert(18, ">");
    std::string out;
    edits_.apply("0123456789abcdefghijkl", out);
    EXPECT_EQ(out, "0123<partly>ijkl");
}
TEST_F(Edits, WhicheverCameFirst) {
    for (const bool first : {true, false}) {
        edits_.clear();
        const HeaderField& field = *message_.first(HeaderId::max_forwards);
        if (first) edits_.remove_header(message_, field);
        edits_.replace_part(message_, field.name, "Other");
        edits_.replace_part(message_, field.value, "69");
        if (!first) edits_.remove_header(message_, field);
        EXPECT_EQ(applied(), "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc");
    }
}
TEST_F(Edits, TheLastReplacementCounts) {
    const std::string_view value = message_.first(HeaderId::max_forwards)->value;
    for (const char* hops : {"69", "68", "67"}) edits_.replace_part(message_, value, hops);
    EXPECT_NE(applied().find("Max-Forwards: 67\r\n"), std::string::npos) << applied();
}

TEST_F(Edits, BodyWithoutContentLengthGetsOne) {
    Bad bad;
    ASSERT_TRUE(message_.parse("BYE sip:a SIP/2.0\nX: 1\n\nold", bad));
    edits_.replace_body(message_, "");
    EXPECT_EQ(applied(), "BYE sip:a SIP/2.0\nX: 1\nContent-Length: 0\r\n\n");
}

TEST_F(Edits, ClearForgets) {
    edits_.prepend_header(message_, "A: 1\r\n");
    edits_.clear();
    EXPECT_TRUE(edits_.empty());
    EXPECT_EQ(applied(), kText);
}

}  // namespace
}  // namespace kahu::sip
