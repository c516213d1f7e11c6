#include "core/sip/builder.h"

#include <gtest/gtest.h>

namespace kahu::sip {
namespace {

constexpr std::string_view kRequest =
    "INVITE sip:bob@b SIP/2.0\r\n"
    "v: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1 , SIP/2.0/TCP a\r\n"
    "Via: SIP/2.0/TLS [::1]\r\n"
    "Record-Route: <sip:p1;lr>\r\n"
    "Record-Route: <sip:p2;lr>\r\n"
    "t: Bob <sip:bob@b>\r\n"
    "f: <sip:a@a>;tag=7\r\n"
    "i: call\r\n"
    "Timestamp: 54\r\n"
    "CSeq: 5 INVITE\r\n"
    "l: 0\r\n\r\n";

class Builder : public testing::Test {
  protected:
    std::string reply(std::string_view request, int status, std::string_view reason, const ReplyOptions& options) {
        Bad bad;
        (void)request_.parse(request, bad);
        std::string out;
        build_reply(request_, status, reason, options, out);
        return out;
    }
    Message request_;
};

TEST_F(Builder, ProvisionalToInvite) {
    EXPECT_EQ(reply(kRequest, 180, "", {.to_tag = "mine", .extra_headers = "X: 1\r\n", .server_header = "kahu"}),
              "SIP/2.0 180 Ringing\r\n"
              "Via: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1 , SIP/2.0/TCP a\r\n"
              "Via: SIP/2.0/TLS [::1]\r\n"
              "Record-Route: <sip:p1;lr>\r\n"
              "Record-Route: <sip:p2;lr>\r\n"
              "From: <sip:a@a>;tag=7\r\n"
              "To: Bob <sip:bob@b>;tag=mine\r\n"
              "Call-ID: call\r\n"
              "CSeq: 5 INVITE\r\n"
              "Server: kahu\r\n"
              "X: 1\r\n"
              "Content-Length: 0\r\n\r\n");
}

TEST_F(Builder, TryingHasNoTagButTheTimestamp) {
    const std::string out = reply(kRequest, 100, "trying", {.to_tag = "mine"});
    EXPECT_EQ(out.find("mine"), out.npos);
    EXPECT_EQ(out.find("Record-Route"), out.npos);
    EXPECT_NE(out.find("\r\nTimestamp: 54\r\n"), out.npos);
    EXPECT_EQ(out.substr(0, 20), "SIP/2.0 100 trying\r\n");
}

TEST_F(Builder, FailureWithBody) {
    const std::string out = reply(kRequest, 488, "", {.body = "why", .content_type = "text/plain"});
    EXPECT_EQ(out.find("Record-Route"), out.npos);
    EXPECT_NE(out.find("Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nwhy"), out.npos);
}

TEST_F(Builder, ToTagIsKeptIfThere) {
    const std::string out =
        reply("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nTo: sip:b;tag=old\r\n\r\n", 200, "", {.to_tag = "new"});
    EXPECT_NE(out.find("To: sip:b;tag=old\r\n"), out.npos);
}

struct ViaCase {
    const char* name;
    std::string_view via, received;
    uint16_t port;
    std::string_view expected;
};
constexpr ViaCase kVias[] = {
    {"same_address", "SIP/2.0/UDP 10.0.0.1;branch=b", "10.0.0.1", 5060, "SIP/2.0/UDP 10.0.0.1;branch=b"},
    {"other_address", "SIP/2.0/UDP 10.0.0.1;branch=b", "192.0.2.1", 5060,
     "SIP/2.0/UDP 10.0.0.1;branch=b;received=192.0.2.1"},
    {"name", "SIP/2.0/TLS host", "192.0.2.1", 0, "SIP/2.0/TLS host;received=192.0.2.1"},
    {"rport", "SIP/2.0/UDP 10.0.0.1;rport;branch=b", "10.0.0.1", 4321,
     "SIP/2.0/UDP 10.0.0.1;rport=4321;branch=b;received=10.0.0.1"},
    {"forged", "SIP/2.0/UDP 10.0.0.1;received=1.1.1.1;rport=9;branch=b", "10.0.0.1", 4321,
     "SIP/2.0/UDP 10.0.0.1;rport=4321;branch=b;received=10.0.0.1"},
    {"ipv6_same", "SIP/2.0/UDP [2001:db8::1]:5070", "2001:db8::1", 5070, "SIP/2.0/UDP [2001:db8::1]:5070"},
    {"unknown_source", "SIP/2.0/UDP 10.0.0.1 ; rport", "", 0, "SIP/2.0/UDP 10.0.0.1 ; rport"},
};

TEST_F(Builder, TopViaTellsTheSource) {  // RFC 3261 18.2.1, RFC 3581 4
    for (const ViaCase& c : kVias) {
        const std::string request = "BYE sip:a SIP/2.0\r\nVia: " + std::string(c.via) + ", SIP/2.0/UDP x\r\n\r\n";
        const std::string out = reply(request, 200, "", {.received = c.received, .received_port = c.port});
        EXPECT_NE(out.find("\r\nVia: " + std::string(c.expected) + ", SIP/2.0/UDP x\r\n"), out.npos) << c.name << "\n"
                                                                                                     << out;
    }
}

TEST_F(Builder, MalformedRequestsAreAnsweredWithWhatTheyHave) {
    const std::string out = reply("OPTIONS <sip:a> SIP/9.0\r\nVia: broken\r\nTo: \"x\r\nCSeq: 1 OPTIONS\r\n\r\n", 400,
                                  "Bad", {.to_tag = "t", .received = "10.0.0.1", .received_port = 1});
    EXPECT_EQ(out, "SIP/2.0 400 Bad\r\nVia: broken\r\nTo: \"x;tag=t\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(Builder, ReplyParsesAsTheResponseToItsRequest) {
    const std::string out = reply(kRequest, 200, "", {.to_tag = "mine", .received = "10.9.9.9", .received_port = 5});
    Message response;
    Bad bad;
    ASSERT_TRUE(response.parse(out, bad)) << bad.rule;
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.to()->tag, "mine");
    EXPECT_EQ(response.top_via()->branch, "z9hG4bK1");
    EXPECT_EQ(response.top_via()->rport, 5);
    EXPECT_EQ(response.second_via()->host, "a");
}

TEST(WriterTest, ReasonCannotAddLines) {
    std::string out;
    Writer(out).status_line(400, "bad\r\nVia: evil");
    EXPECT_EQ(out, "SIP/2.0 400 bad  Via: evil\r\n");
}

TEST(WriterTest, Lines) {
    std::string out;
    Writer(out).request_line("BYE", "sip:a").header(HeaderId::max_forwards, "70").body("", "");
    EXPECT_EQ(out, "BYE sip:a SIP/2.0\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace kahu::sip
