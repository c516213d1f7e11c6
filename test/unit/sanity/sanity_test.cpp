// sanity_check(): what each bit finds and answers, as Kamailio 5.6.3 does.
#include "core/modules/sanity/checks.h"
#include "core/modules/sanity/module.h"
#include "test/unit/script/harness.h"

namespace kahu::sanity::test {
namespace {

using script::test::request;
using script::test::Script;

struct Case {
    const char* name;
    const char* uri;
    const char* headers;
    const char* expected;  // "" for sound
    uint32_t bits = 17895, uris = 7;
};
constexpr Case kCases[] = {
    {"good", "sip:a@b", "", ""},
    {"tel", "tel:+123", "", ""},
    {"urn", "urn:service:sos", "", ""},
    {"scheme", "http:a@b", "", "416 Unsupported URI Scheme in Request URI"},
    {"scheme_not_asked", "http:a@b", "", "", 17895 - 2},
    {"expires", "sip:a@b", "Expires: abc\r\n", "400 Expires value is illegal"},
    {"expires_negative", "sip:a@b", "Expires: -1\r\n", "400 Expires value is illegal"},
    {"expires_good", "sip:a@b", "Expires: 10\r\n", ""},
    {"expires_not_asked", "sip:a@b", "Expires: abc\r\n", "", 17604},
    {"contact", "sip:a@b", "Contact: <sip:@>\r\n", "400 Bad Contact Header", 17895, 15},
    {"contact_not_asked", "sip:a@b", "Contact: <sip:@>\r\n", ""},
    {"contact_star", "sip:a@b", "Contact: *\r\n", "", 17895, 15},
    {"proxy_require", "sip:a@b", "Proxy-Require: known, foo\r\n", "420 Bad Proxy Require Extension", 512},
    {"credentials", "sip:a@b", "Authorization: Digest username=\"x\"\r\n", "400 Bad Auth Credentials", 2048},
    {"other_credentials", "sip:a@b", "Authorization: Basic abc\r\n", "", 2048},
};
TEST(Checks, FindWhatTheirBitsSay) {
    for (const Case& c : kCases) {
        const std::string bytes = request("OPTIONS", c.uri, c.headers);
        sip::Message message;
        sip::Bad bad;
        ASSERT_TRUE(message.parse(bytes, bad)) << c.name;
        std::string unsupported;
        const Fault fault = check(message, {c.bits, c.uris, "known"}, unsupported);
        EXPECT_EQ(fault ? std::to_string(fault.status) + " " + fault.reason : "", c.expected) << c.name;
        EXPECT_EQ(unsupported, fault.status == 420 ? "Unsupported: foo\r\n" : "") << c.name;
    }
}

struct Raw {
    const char* name;
    const char* from;
    const char* to;
    const char* expected;
    uint32_t bits = 17895;
};
constexpr Raw kParties[] = {
    {"from", "<sip:>;tag=1", "<sip:a@b>", "400 Invalid From Header"},
    {"from_opaque", "<nonsense>;tag=1", "<sip:a@b>", "400 Invalid From Header"},
    {"to", "<sip:a@b>;tag=1", "<nonsense>", "400 Ivalid To Header"},
    {"to_mailto", "<sip:a@b>;tag=1", "<mailto:a@b>", "400 Ivalid To Header"},
    {"to_tel", "<sip:a@b>;tag=1", "<tel:+1>", ""},
    {"tags", "<sip:a@b>;tag=1;tag=2", "<sip:a@b>", "400 Multiple Tags", 4096},
};
TEST(Checks, JudgeFromAndTo) {
    for (const Raw& c : kParties) {
        const std::string bytes =
            std::string("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.2.3;branch=z9hG4bK1\r\nFrom: ") + c.from +
            "\r\nTo: " + c.to + "\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";
        sip::Message message;
        sip::Bad bad;
        (void)message.parse(bytes, bad);
        std::string unsupported;
        const Fault fault = check(message, {c.bits, 7, ""}, unsupported);
        EXPECT_EQ(fault ? std::to_string(fault.status) + " " + fault.reason : "", c.expected) << c.name;
    }
}

TEST(SanityCheck, AnswersAndEndsTheScriptOrNot) {
    Script script("request_route { if (!sanity_check(\"17895\", \"7\")) { log(\"insane\"); exit; } log(\"sane\"); }",
                  {&kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), "sane");
    const std::string bad = request("OPTIONS", "sip:a@b", "Expires: abc\r\n");
    auto outcome = script.send(bad);  // autodrop is 1
    EXPECT_EQ(outcome.first_line(), "SIP/2.0 400 Expires value is illegal");
    EXPECT_EQ(outcome.line(), "");
    const auto set = [](std::string_view name, int64_t value) {
        for (const Param& row : kModule.params)
            if (row.name == name) {
                ASSERT_TRUE(kahu::apply(row, ParamValue{value}));
            }
    };
    set("autodrop", 0);
    outcome = script.send(bad);
    EXPECT_EQ(outcome.first_line(), "SIP/2.0 400 Expires value is illegal");
    EXPECT_EQ(outcome.line(), "insane");
    set("noreply", 1);
    EXPECT_EQ(script.send(bad).replies.size(), 0u);
    Script later("request_route { if (!sanity_check()) sanity_reply(); }", {&kModule});
    EXPECT_EQ(later.send(bad).first_line(), "SIP/2.0 400 Expires value is illegal");
    set("noreply", 0);
    set("autodrop", 1);
}
TEST(SanityCheck, MistakesAreFoundAtStart) {
    EXPECT_EQ(Script("request_route { sanity_check(\"x\"); }", {&kModule}).program, nullptr);
    EXPECT_TRUE(well_formed(kModule));
}

}  // namespace
}  // namespace kahu::sanity::test
