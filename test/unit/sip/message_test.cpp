#include "core/sip/message.h"

#include <gtest/gtest.h>

#include <string>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

constexpr std::string_view kInvite =
    "INVITE sip:bob@biloxi.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS pc33.atlanta.com;branch=z9hG4bK776asdhds, SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKb\r\n"
    "v: SIP/2.0/UDP 10.1.1.2\r\n"
    "Max-Forwards: 70\r\n"
    "t: Bob <sip:bob@biloxi.com>\r\n"
    "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
    "i: a84b4c76e66710@pc33.atlanta.com\r\n"
    "CSeq: 314159 INVITE\r\n"
    "Contact: <sip:alice@pc33.atlanta.com>\r\n"
    "X-Folded : one\r\n  two\r\n\tthree \r\n"
    "Expires: 99999999999\r\n"
    "x-other:\r\n"
    "X-FOLDED: again\r\n"
    "l: 4\r\n"
    "\r\n"
    "v=0\r\nignored";

class MessageTest : public testing::Test {
  protected:
    bool parse(std::string_view text) { return message_.parse(text, bad_); }
    Message message_;
    Bad bad_;
};

TEST_F(MessageTest, RequestIsReadToItsParts) {
    ASSERT_TRUE(parse(kInvite)) << bad_.rule;
    EXPECT_TRUE(message_.is_request());
    EXPECT_EQ(message_.method(), Method::invite);
    EXPECT_EQ(message_.method_name(), "INVITE");
    EXPECT_EQ(message_.request_uri(), "sip:bob@biloxi.com");
    EXPECT_EQ(message_.version(), "SIP/2.0");
    EXPECT_EQ(message_.headers().size(), 13u);
    EXPECT_EQ(message_.body(), "v=0\r");
    EXPECT_EQ(message_.bytes().size(), kInvite.size() - std::string_view("\nignored").size());
    EXPECT_EQ(message_.call_id(), "a84b4c76e66710@pc33.atlanta.com");
    EXPECT_EQ(message_.content_length(), 4u);
    EXPECT_EQ(message_.max_forwards(), 70u);
    EXPECT_EQ(message_.expires(), 4294967295u) << "clamped";
    ASSERT_NE(message_.from(), nullptr);
    EXPECT_EQ(message_.from()->tag, "1928301774");
    ASSERT_NE(message_.to(), nullptr);
    EXPECT_EQ(message_.to()->display, "Bob");
    ASSERT_NE(message_.cseq(), nullptr);
    EXPECT_EQ(message_.cseq()->number, 314159u);
    ASSERT_NE(message_.parsed_request_uri(), nullptr);
    EXPECT_EQ(message_.parsed_request_uri()->host, "biloxi.com");
    EXPECT_TRUE(message_.can_be_answered());
    EXPECT_FALSE(message_.reject());
}

TEST_F(MessageTest, ViasAcrossListsAndFields) {
    ASSERT_TRUE(parse(kInvite));
    ASSERT_NE(message_.top_via(), nullptr);
    EXPECT_EQ(message_.top_via()->host, "pc33.atlanta.com");
    ASSERT_NE(message_.second_via(), nullptr);
    EXPECT_EQ(message_.second_via()->host, "10.1.1.1");
    ASSERT_TRUE(parse("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nVia: SIP/2.0/UDP b, SIP/2.0/UDP c\r\n\r\n"));
    ASSERT_NE(message_.second_via(), nullptr);
    EXPECT_EQ(message_.second_via()->host, "b");
    ASSERT_TRUE(parse("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n"));
    EXPECT_EQ(message_.second_via(), nullptr) << "nothing is left of the message before";
}

TEST_F(MessageTest, HeadersAreFoundByIdAndByName) {
    ASSERT_TRUE(parse(kInvite));
    const HeaderField* folded = message_.first("x-folded");
    ASSERT_NE(folded, nullptr);
    EXPECT_EQ(folded->name, "X-Folded");
    EXPECT_EQ(folded->value, "one\r\n  two\r\n\tthree");
    EXPECT_EQ(folded->whole, "X-Folded : one\r\n  two\r\n\tthree \r\n");
    const HeaderField* again = message_.next(folded);
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(again->value, "again");
    EXPECT_EQ(message_.next(again), nullptr);
    EXPECT_EQ(message_.first("VIA"), message_.first(HeaderId::via));
    EXPECT_EQ(message_.first("v"), message_.first(HeaderId::via));
    EXPECT_EQ(message_.last(HeaderId::via)->value, "SIP/2.0/UDP 10.1.1.2");
    EXPECT_EQ(message_.first("X-Other")->value, "");
    EXPECT_EQ(message_.first("X-None"), nullptr);
    EXPECT_EQ(message_.first(HeaderId::route), nullptr);
    EXPECT_EQ(message_.last(HeaderId::route), nullptr);
}

TEST_F(MessageTest, WholeFieldsTileTheHead) {
    ASSERT_TRUE(parse(kInvite));
    std::string head(message_.start_line());
    for (const HeaderField& field : message_.headers()) head += field.whole;
    EXPECT_EQ(head + "\r\n", message_.head());
}

TEST_F(MessageTest, ResponseIsReadToItsParts) {
    ASSERT_TRUE(parse("\r\n\r\nSIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\r\nCSeq: 1 INVITE\r\n\r\n"));
    EXPECT_FALSE(message_.is_request());
    EXPECT_EQ(message_.status(), 200);
    EXPECT_EQ(message_.reason(), "= 2**3 * 5**2 \xd0\xbd");
    EXPECT_EQ(message_.method(), Method::other);
    EXPECT_FALSE(message_.can_be_answered());
    EXPECT_EQ(message_.parsed_request_uri(), nullptr);
    ASSERT_TRUE(parse("SIP/2.0 100 \r\n\r\n"));
    EXPECT_EQ(message_.reason(), "");
    ASSERT_TRUE(parse("SIP/2.0 100\r\n\r\n"));
}

TEST_F(MessageTest, BareLineFeedsEndLinesToo) {
    ASSERT_TRUE(parse("OPTIONS sip:a SIP/2.0\nl: 2\nX-Fold: a\n b\n\nok"));
    EXPECT_EQ(message_.body(), "ok");
    EXPECT_EQ(message_.headers().size(), 2u);
    EXPECT_EQ(message_.version(), "SIP/2.0");
}

struct BadCase {
    const char* name;
    std::string_view text;
    int status;
    const char* rule;
};
constexpr BadCase kBad[] = {
    {"empty", "", 400, "Start-Line: no line end"},
    {"only_crlf", "\r\n\r\n", 400, "Start-Line: no line end"},
    {"no_line_end", "INVITE sip:a SIP/2.0", 400, "Start-Line: no line end"},
    {"version", "OPTIONS sip:a SIP/7.0\r\n\r\n", 505, "Request-Line: SIP-Version"},
    {"http", "GET / HTTP/1.1\r\n\r\n", 400, "Request-Line: SIP-Version"},
    {"no_version", "OPTIONS sip:a\r\n\r\n", 400, "Request-Line: two SP"},
    {"empty_uri", "OPTIONS  SIP/2.0\r\n\r\n", 400, "Request-Line: Request-URI"},
    {"two_spaces", "OPTIONS  sip:a SIP/2.0\r\n\r\n", 400, "Request-Line: Request-URI"},
    {"method", "OPT(IONS sip:a SIP/2.0\r\n\r\n", 400, "Request-Line: Method"},
    {"status_large", "SIP/2.0 4294967301 better not\r\n\r\n", 400, "Status-Line: Status-Code"},
    {"status_small", "SIP/2.0 099 x\r\n\r\n", 400, "Status-Line: Status-Code"},
    {"status_version", "SIP/3.0 200 OK\r\n\r\n", 505, "Status-Line: SIP-Version"},
    {"no_empty_line", "BYE sip:a SIP/2.0\r\nl: 0\r\n", 400, "message: no empty line behind the headers"},
    {"cut_header", "BYE sip:a SIP/2.0\r\nl: 0", 400, "header: no line end"},
    {"no_colon", "BYE sip:a SIP/2.0\r\nVia SIP\r\n\r\n", 400, "header: name and colon"},
    {"fold_first", "BYE sip:a SIP/2.0\r\n x\r\n\r\n", 400, "header: name and colon"},
    {"length_negative", "BYE sip:a SIP/2.0\r\nl: -1\r\n\r\n", 400, "Content-Length: number"},
    {"length_long", "BYE sip:a SIP/2.0\r\nl: 5\r\n\r\n1234", 400, "Content-Length: larger than the body"},
    {"length_twice", "BYE sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n", 400, "Content-Length: given twice"},
};
class BadMessages : public testing::TestWithParam<BadCase> {};

TEST_P(BadMessages, NameTheRuleAndWhatToAnswer) {
    Message message;
    Bad bad;
    ASSERT_FALSE(message.parse(GetParam().text, bad));
    EXPECT_STREQ(bad.rule, GetParam().rule);
    EXPECT_LE(bad.at, GetParam().text.size());
    EXPECT_EQ(message.reject().status, GetParam().status);
    EXPECT_STREQ(message.last_bad().rule, bad.rule);
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, BadMessages, testing::ValuesIn(kBad),
                         [](const auto& i) { return std::string(i.param.name); });

TEST_F(MessageTest, BadStartLineDoesNotHideTheHeaders) {
    ASSERT_FALSE(parse("INVITE <sip:a> SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nBroken line\r\nCSeq: 1 INVITE\r\n\r\n"));
    EXPECT_STREQ(bad_.rule, "Request-Line: Request-URI") << "the first failure counts";
    EXPECT_TRUE(message_.can_be_answered());
    EXPECT_EQ(message_.headers().size(), 2u);
    ASSERT_NE(message_.cseq(), nullptr);
}

TEST_F(MessageTest, MalformedHeadersLeaveTheirOffset) {
    const std::string_view text = "BYE sip:a SIP/2.0\r\nTo: <sip:a\r\nFrom: sip:a\r\nCSeq: x\r\nCall-ID: a b\r\n\r\n";
    ASSERT_TRUE(parse(text));
    EXPECT_EQ(message_.to(), nullptr);
    EXPECT_EQ(message_.last_bad().at, text.find("<sip:a") + 6);
    EXPECT_NE(message_.from(), nullptr);
    EXPECT_EQ(message_.cseq(), nullptr);
    EXPECT_STREQ(message_.last_bad().rule, "CSeq: number");
    EXPECT_EQ(message_.call_id(), "");
    EXPECT_TRUE(message_.has(HeaderId::call_id));
}

TEST_F(MessageTest, HeaderIndexGrowsAndIsBounded) {
    std::string text = "BYE sip:a SIP/2.0\r\n";
    for (size_t i = 0; i < Message::kMaxHeaders; ++i) text += "X: 1\r\n";
    ASSERT_TRUE(parse(text + "\r\n"));
    EXPECT_EQ(message_.headers().size(), Message::kMaxHeaders);
    ASSERT_FALSE(parse(text + "X: 1\r\n\r\n"));
    EXPECT_STREQ(bad_.rule, "too many headers");
}

TEST_F(MessageTest, DuplicateNamesTheMostImportantHeader) {
    ASSERT_TRUE(parse("BYE sip:a SIP/2.0\r\nSubject: 1\r\nSubject: 2\r\nTo: sip:a\r\nTo: sip:b\r\n\r\n"));
    EXPECT_EQ(message_.duplicate(), HeaderId::to);
    ASSERT_TRUE(parse("BYE sip:a SIP/2.0\r\nVia: a\r\nVia: b\r\n\r\n"));
    EXPECT_EQ(message_.duplicate(), HeaderId::other);
}

TEST_F(MessageTest, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(kInvite, [this](std::string_view text) {
        (void)parse(text);
        (void)message_.second_via();
        (void)message_.from();
        (void)message_.to();
        (void)message_.cseq();
        (void)message_.call_id();
        (void)message_.parsed_request_uri();
    });
}

}  // namespace
}  // namespace kahu::sip
