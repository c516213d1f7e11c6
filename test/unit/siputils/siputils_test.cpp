#include "core/modules/siputils/module.h"
#include "core/modules/textopsx/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* condition;
    bool expected;
};
constexpr Case kCases[] = {
    {"method", "is_method(\"INVITE|OPTIONS\")", true},
    {"method_not", "is_method(\"INVITE|ACK\")", false},
    {"method_comma", "is_method(\"INVITE, OPTIONS\")", true},
    {"method_variable", "is_method(\"$rm\")", true},
    {"no_totag", "has_totag()", false},
    {"request", "is_request() && !is_reply()", true},
    {"first_hop", "is_first_hop()", true},
    {"supported", "is_supported(\"path\")", true},
    {"not_supported", "is_supported(\"gruu\")", false},
    {"uri", "is_uri(\"$ru\")", true},
    {"no_uri", "is_uri(\"bob\")", false},
    {"numeric", "is_numeric(\"0123\") && !is_numeric(\"12a\") && !is_numeric(\"\")", true},
    {"alphanum", "is_alphanum(\"a1Z\") && !is_alphanum(\"a-1\")", true},
    {"alphanumex", "is_alphanumex(\"a-1\", \"-+\")", true},
    {"tel", "is_tel_number(\"+123\") && is_tel_number(\"123\") && !is_tel_number(\"+\")", true},
    {"e164", "is_e164(\"+4930123\") && !is_e164(\"4930\") && !is_e164(\"+1234567890123456\")", true},
    {"user_e164", "is_uri_user_e164(\"sip:+4930@x\")", true},
    {"uri_param", "uri_param(\"transport\") && uri_param(\"transport\", \"TCP\") && !uri_param(\"user\")", true},
    {"cmp_uri", "cmp_uri(\"sip:a@B.example\", \"sip:a@b.EXAMPLE\")", true},
    {"cmp_aor", "cmp_aor(\"sip:a@b:5060;x\", \"sip:a@B\")", true},
    {"no_gruu", "is_gruu()", false},
    {"gruu", "is_gruu(\"sip:a@b;gr=x\")", true},
};
class Questions : public testing::TestWithParam<Case> {};
TEST_P(Questions, AreAnswered) {
    const std::string statement = std::string("if (") + GetParam().condition + ") log(\"true\"); else log(\"false\");";
    const std::string message = request("OPTIONS", "sip:bob@example.com;transport=tcp", "Supported: 100rel, path\r\n");
    EXPECT_EQ(logged(statement, message, {&siputils::kModule}), GetParam().expected ? "true" : "false");
}
INSTANTIATE_TEST_SUITE_P(Siputils, Questions, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(IsMethod, LooksAtCSeqOfReplies) {
    Script script("request_route { exit; } reply_route { if (is_method(\"INVITE\")) log(\"invite\"); }",
                  {&siputils::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(reply()).line(), "invite");
}

TEST(IsMethod, ComparesUnknownMethodsAsText) {
    EXPECT_EQ(logged("if (is_method(\"NEWMETHOD|INVITE\")) log(\"yes\");", request("NEWMETHOD"), {&siputils::kModule}),
              "yes");
    EXPECT_EQ(
        logged("if (is_method(\"OTHER\")) log(\"yes\"); else log(\"no\");", request("NEWMETHOD"), {&siputils::kModule}),
        "no");
}

TEST(HasTotag, SeesATag) {
    std::string message = request();
    message.insert(message.find("To: <sip:bob@example.com>") + 25, ";tag=x");
    EXPECT_EQ(logged("if (has_totag()) log(\"yes\");", message, {&siputils::kModule}), "yes");
}

TEST(HdrDateCheck, ComparesWithNow) {
    const std::string old = request("OPTIONS", "sip:a@b", "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n");
    const std::string odd = request("OPTIONS", "sip:a@b", "Date: yesterday\r\n");
    const std::string statement = "if (hdr_date_check(60)) log(\"fresh\"); else log(\"old\");";
    EXPECT_EQ(logged(statement, old, {&siputils::kModule}), "old");
    EXPECT_EQ(logged(statement, odd, {&siputils::kModule}), "old");
    EXPECT_EQ(logged("if (hdr_date_check(2000000000)) log(\"fresh\");", old, {&siputils::kModule}), "fresh");
}

TEST(OptionsReply, AnswersForTheServerItself) {
    const auto answered = [](std::string_view method, std::string_view uri) {
        Script script("request_route { if (!options_reply()) log(\"no\"); }", {&siputils::kModule});
        EXPECT_NE(script.program, nullptr) << script.found.text();
        const Outcome outcome = script.send(request(method, uri));
        return outcome.replies.empty() ? outcome.line() : outcome.replies[0];
    };
    const std::string reply = answered("OPTIONS", "sip:example.com");
    EXPECT_EQ(reply.substr(0, 16), "SIP/2.0 200 OK\r\n");
    EXPECT_NE(reply.find("\r\nAccept: */*\r\n"), std::string::npos) << reply;
    EXPECT_NE(reply.find("\r\nAccept-Language: en\r\n"), std::string::npos) << reply;
    EXPECT_EQ(answered("OPTIONS", "sip:bob@example.com"), "no");
    EXPECT_EQ(answered("INFO", "sip:example.com"), "no");
}

TEST(Credentials, AreLookedAt) {
    const std::string message = request("REGISTER", "sip:example.com",
                                        "Authorization: Digest username=\"alice@x\", realm=\"r\", nonce=\"n\", "
                                        "uri=\"sip:x\", response=\"00000000000000000000000000000000\"\r\n");
    const std::string statement =
        "if (has_credentials(\"r\") && !has_credentials(\"q\") && !is_user(\"alice\")) log(\"hers\"); else "
        "log(\"no\");";
    EXPECT_EQ(logged(statement, message, {&siputils::kModule}), "hers");
    EXPECT_EQ(logged(statement, request(), {&siputils::kModule}), "no");
}

TEST(UriParams, AreReadAndRemoved) {
    const auto after = [](const char* statements) {
        return logged(statements, request("OPTIONS", "sip:a;u=1@b;x=y;lr"), {&siputils::kModule});
    };
    EXPECT_EQ(after("if (get_uri_param(\"x\", \"$var(v)\") && !get_uri_param(\"z\", \"$var(v)\")) log(\"$var(v)\");"),
              "y");
    EXPECT_EQ(after("if (uri_param_any(\"u\") && uri_param_any(\"lr\") && !uri_param_any(\"z\")) log(\"yes\");"),
              "yes");
    EXPECT_EQ(after("uri_param_rm(\"x\"); if (!uri_param_rm(\"x\")) log(\"$ru\");"), "sip:a;u=1@b;lr");
    EXPECT_EQ(after("uri_param_rm(\"lr\"); log(\"$ru\");"), "sip:a;u=1@b;x=y");
}

TEST(AddUriParam, ChangesTheRequestUri) {
    const std::string statement = "add_uri_param(\"x=1\"); add_uri_param(\"a b\"); log(\"$ru\");";
    EXPECT_EQ(logged(statement, request("OPTIONS", "sip:a@b;lr"), {&siputils::kModule}), "sip:a@b;lr;x=1");
}

// As Kamailio 5.6.3 shows them.
TEST(ChargingVector, IsReadInParts) {
    const struct {
        const char* header;
        const char* shown;
    } cases[] = {
        {"", "<null> <null> <null> <null> <null>"},
        {"P-Charging-Vector: icid-value=abc;icid-generated-at=1.2.3.4;orig-ioi=\"home1.net\";term-ioi=home2.net\r\n",
         "icid-value=abc;icid-generated-at=1.2.3.4;orig-ioi=\"home1.net\";term-ioi=home2.net abc 1.2.3.4 \"home1.net\" "
         "home2.net"},
        {"P-Charging-Vector: icid-value=abc\r\n", "icid-value=abc abc <null> <null> <null>"},
        {"P-Charging-Vector: foo=abc;orig-ioi=a\r\n", "<null> <null> <null> <null> <null>"},
    };
    Script script("request_route { log(\"$pcv(all) $pcv(value) $pcv(genaddr) $pcv(orig) $pcv(term)\"); }",
                  {&siputils::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    for (const auto& c : cases)
        EXPECT_EQ(script.send(request("INVITE", "sip:bob@example.com", c.header)).line(), c.shown) << c.header;
    EXPECT_EQ(Script("request_route { log(\"$pcv(x)\"); }", {&siputils::kModule}).program, nullptr);
}

TEST(Siputils, RowsAreWellFormed) { EXPECT_TRUE(well_formed(siputils::kModule)); }

// What encode_contact() and its like make of a Contact, and the way back.
struct Coded {
    const char* name;
    const char* statement;
    const char* contact;   // as received
    const char* expected;  // "<returned> <Contact as it leaves>"
};
constexpr Coded kCoded[] = {
    {"packed", "encode_contact(\"nat\", \"edge.example\");", "<sip:u:pw@192.0.2.1:5070;transport=tcp;x>;q=0.5",
     "1 <sip:nat*u*pw*192.0.2.1*5070*tcp@edge.example>;q=0.5"},
    {"packed_short", "encode_contact(\"nat\", \"edge.example\");", "sip:192.0.2.1",
     "1 <sip:nat***192.0.2.1**@edge.example>"},
    {"packed_two", "encode_contact(\"n\", \"e\");", "<sip:a@h>, <sip:b@h>;q=1",
     "1 <sip:n*a**h**@e>, <sip:n*b**h**@e>;q=1"},
    {"not_unpackable", "encode_contact(\"n\", \"e\");", "<sip:a*b@h>", "-1 <sip:a*b@h>"},
    {"star", "encode_contact(\"n\", \"e\");", "*", "1 *"},
    {"unpacked", "decode_contact_header();", "<sip:nat*u*pw*192.0.2.1*5070*tcp@e>",
     "1 <sip:u:pw@192.0.2.1:5070;transport=tcp>"},
    {"unpacked_short", "decode_contact_header();", "<sip:nat***192.0.2.1**@e>;x", "1 <sip:192.0.2.1>;x"},
    {"too_few", "decode_contact_header();", "<sip:nat*u*h*5070*tcp@e>", "-1 <sip:nat*u*h*5070*tcp@e>"},
    {"too_many", "decode_contact_header();", "<sip:nat*u*p*h*1*tcp*z@e>", "-1 <sip:nat*u*p*h*1*tcp*z@e>"},
    {"to_no_uri", "decode_contact_header();", "<sip:nat*u*p**1*tcp@e>", "-1 <sip:nat*u*p**1*tcp@e>"},
    {"packed_to_no_uri", "encode_contact(\"n\", \"no host\");", "<sip:a@h>", "-1 <sip:a@h>"},
    {"param", "contact_param_encode(\"ksu\", \"sip:e;transport=tcp\");", "<sip:a@b>;q=1",
     "1 <sip:e;transport=tcp;ksu=c2lwOmFAYg>;q=1"},
    {"param_back", "contact_param_decode(\"ksu\");", "<sip:e;transport=tcp;ksu=c2lwOmFAYg>;q=1", "1 <sip:a@b>;q=1"},
    {"param_bad", "contact_param_decode(\"ksu\");", "<sip:e;ksu=!!>", "-1 <sip:e;ksu=!!>"},
    {"param_other_scheme", "contact_param_decode(\"ksu\");", "<sip:e;ksu=aHR0cDp4>", "-1 <sip:e;ksu=aHR0cDp4>"},
    {"param_line_end", "contact_param_decode(\"ksu\");", "<sip:e;ksu=c2lwOmFAYg0KWDogMQ>",
     "-1 <sip:e;ksu=c2lwOmFAYg0KWDogMQ>"},
    {"param_none", "contact_param_decode(\"ksu\");", "<sip:e>", "1 <sip:e>"},
    {"param_rm", "contact_param_rm(\"x\");", "<sip:e;x=1;y>", "1 <sip:e;y>"},
    {"param_rm_last", "contact_param_rm(\"y\");", "<sip:e;x=1;y>", "1 <sip:e;x=1>"},
};
class ContactCodes : public testing::TestWithParam<Coded> {};
TEST_P(ContactCodes, AreWrittenAndRead) {
    const std::string statements =
        std::string(GetParam().statement) + " $var(c) = $rc; msg_apply_changes(); log(\"$var(c) $hdr(Contact)\");";
    const std::string message =
        request("REGISTER", "sip:example.com", std::string("Contact: ") + GetParam().contact + "\r\n");
    EXPECT_EQ(logged(statements, message, {&siputils::kModule, &textopsx::kModule}), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(Siputils, ContactCodes, testing::ValuesIn(kCoded),
                         [](const auto& i) { return std::string(i.param.name); });

}  // namespace
}  // namespace kahu::script::test
