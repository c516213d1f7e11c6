// test/unit/usrloc/registrar_test.cpp -- save() and lookup() through a script: what is answered, what is kept.
// (It stands here because a unit test links the folders up to its own, and registrar needs usrloc.)
#include "core/modules/registrar/module.h"

#include <fmt/format.h>

#include "core/modules/registrar/settings.h"
#include "test/unit/script/harness.h"
#include "test/unit/usrloc/fixture.h"

namespace kahu::usrloc::test {
namespace {

using registrar::settings;
using script::test::Outcome;
using script::test::Script;

// What lookup() left in the run, for tests: the branch of $ru, then the others.
std::string g_branches;
int peek(script::Run& run, const script::Args&) {
    g_branches = std::to_string(run.branches.main().q);
    for (const script::Branch& b : run.branches.others()) g_branches += fmt::format(" | {} {}", b.uri, b.q);
    return 1;
}
constexpr Function kPeek[] = {{"peek", 0, 0, "()", "For tests.", kAnyRoute, peek}};
constexpr ModuleDescriptor kPeeking{.name = "peeking", .summary = "For tests.", .functions = kPeek};

struct Register {
    std::string contact;  // header lines; "" for none
    std::string more = "";
    int cseq = 1;
    std::string call_id = "c1@phone";
    std::string to = "sip:Alice@example.com";
    std::string vias = "Via: SIP/2.0/UDP 10.1.2.3:26102;branch=z9hG4bK77;rport\r\n";
    std::string text() const {
        return fmt::format(
            "REGISTER sip:example.com SIP/2.0\r\n{}Max-Forwards: 70\r\nFrom: <{}>;tag=f\r\nTo: <{}>\r\nCall-ID: {}\r\n"
            "CSeq: {} REGISTER\r\n{}{}Content-Length: 0\r\n\r\n",
            vias, to, to, call_id, cseq, contact, more);
    }
};

class Registrar : public LocationTest {
  protected:
    static constexpr std::string_view kScript =
        "request_route {\n"
        "  if (method == \"REGISTER\") { save(\"location\"); log(\"save $rc\"); exit; }\n"
        "  lookup(\"location\"); log(\"lookup $rc $ru $du\"); }\n";
    void SetUp() override {
        LocationTest::SetUp();
        script_ = std::make_unique<Script>(kScript, modules());
        ASSERT_NE(script_->program, nullptr) << script_->found.text();
        log::set_level(log::Level::debug);
    }
    void TearDown() override {
        for (const Param& row : registrar::params())
            if (row.number != nullptr) row.number->set(row.number->initial());
        settings.received_avp.set("");
        script_.reset();
        LocationTest::TearDown();
    }
    static std::vector<const ModuleDescriptor*> modules() { return {&kModule, &registrar::kModule}; }
    Outcome send(const Register& request, const net::Inbound& from = script::test::from()) {
        return script_->send(request.text(), from);
    }
    static std::string header(const Outcome& out, std::string_view name) {
        if (out.replies.empty()) return "no reply";
        const std::string mark = fmt::format("\r\n{}: ", name);
        const size_t at = out.replies[0].find(mark);
        if (at == std::string::npos) return "";
        const size_t from = at + mark.size();
        return out.replies[0].substr(from, out.replies[0].find("\r\n", from) - from);
    }
    std::string lookup(std::string_view uri = "sip:alice@example.com") {
        return script_->send(script::test::request("INVITE", uri)).line();
    }
    std::unique_ptr<Script> script_;
};

struct Case {
    const char* name;
    Register request;
    const char* status;
    const char* error;    // P-Registrar-Error
    const char* contact;  // of the answer
};
const Case kCases[] = {
    {"Plain", {"Contact: <sip:a@10.0.0.1>;expires=100\r\n"}, "200 OK", "", "<sip:a@10.0.0.1>;expires=100"},
    {"ExpiresHeader",
     {"Contact: <sip:a@10.0.0.1>\r\n", "Expires: 200\r\n"},
     "200 OK",
     "",
     "<sip:a@10.0.0.1>;expires=200"},
    {"ParameterWins_RG_06",
     {"Contact: <sip:a@b>;expires=100\r\n", "Expires: 200\r\n"},
     "200 OK",
     "",
     "<sip:a@b>;expires=100"},
    {"Default", {"Contact: <sip:a@b>\r\n"}, "200 OK", "", "<sip:a@b>;expires=3600"},
    {"Raised", {"Contact: <sip:a@b>;expires=5\r\n"}, "200 OK", "", "<sip:a@b>;expires=60"},
    {"Clamped_RG_06", {"Contact: <sip:a@b>;expires=99999999999999\r\n"}, "200 OK", "", "<sip:a@b>;expires=2147483647"},
    {"Q", {"Contact: <sip:a@b>;q=0.50\r\n"}, "200 OK", "", "<sip:a@b>;q=0.5;expires=3600"},
    {"Two_RG_01",
     {"Contact: <sip:a@b>, <sip:c@d>;expires=70\r\n"},
     "200 OK",
     "",
     "<sip:a@b>;expires=3600, <sip:c@d>;expires=70"},
    {"Instance",
     {"Contact: <sip:a@b>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n"},
     "200 OK",
     "",
     "<sip:a@b>;expires=3600;+sip.instance=\"<urn:uuid:1>\""},
    {"Query_RG_09", {""}, "200 OK", "", ""},
    {"Star_RG_02", {"Contact: *\r\n", "Expires: 0\r\n"}, "200 OK", "", ""},
    {"StarWithoutZero_RG_02",
     {"Contact: *\r\n", "Expires: 10\r\n"},
     "400 Bad Request",
     "* used in contact and expires is not zero",
     ""},
    {"StarWithoutExpires_RG_02",
     {"Contact: *\r\n"},
     "400 Bad Request",
     "* used in contact and expires is not zero",
     ""},
    {"StarAndMore_RG_02",
     {"Contact: *\r\nContact: <sip:a@b>\r\n", "Expires: 0\r\n"},
     "400 Bad Request",
     "* used in contact and more than 1 contact",
     ""},
    {"BadOfTwo_RG_04", {"Contact: <sip:a@b>, <nonsense>\r\n"}, "400 Bad Request", "Contact parse error", ""},
    {"RegIdZero",
     {"Contact: <sip:a@b>;+sip.instance=\"<urn:x>\";reg-id=0\r\n"},
     "400 Bad Request",
     "Contact parse error",
     ""},
    {"NoUser",
     {"Contact: <sip:a@b>\r\n", "", 1, "c", "sip:example.com"},
     "400 Bad Request",
     "No username in To URI",
     ""},
    {"LongCallId", {"Contact: <sip:a@b>\r\n", "", 1, std::string(256, 'c')}, "400 Bad Request", "Callid too long", ""},
    {"RequireOutbound",
     {"Contact: <sip:a@b>\r\n", "Require: outbound\r\n"},
     "420 Bad Extension",
     "No support for Outbound on server",
     ""},
    {"Escapes_RG_20",
     {"Contact: <sip:%00;user?x@b>\r\n", "", 1, "c", "sip:null%00@example.com"},
     "200 OK",
     "",
     "<sip:%00;user?x@b>;expires=3600"},
};
class Answers : public Registrar, public testing::WithParamInterface<Case> {};
TEST_P(Answers, AreAsTheTableSays) {
    const Case& c = GetParam();
    const Outcome out = send(c.request);
    EXPECT_EQ(out.first_line(), std::string("SIP/2.0 ") + c.status);
    EXPECT_EQ(header(out, "P-Registrar-Error"), c.error);
    EXPECT_EQ(header(out, "Contact"), c.contact);
    if (std::string_view(c.status) != "200 OK") {
        EXPECT_EQ(totals(0).contacts, 0);
    }
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, Answers, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST_F(Registrar, ReturnCodesTellWhatHappened) {
    EXPECT_EQ(send({"Contact: <sip:a@b>\r\n"}).line(), "save 1");
    EXPECT_EQ(send({"Contact: <sip:a@b>\r\n", "", 2}).line(), "save 2");
    EXPECT_EQ(send({"", "", 3}).line(), "save 4");
    EXPECT_EQ(send({"Contact: <sip:a@b>;expires=0\r\n", "", 4}).line(), "save 3");
    EXPECT_EQ(send({"Contact: *\r\n", "", 5}).line(), "save -1");
}

TEST_F(Registrar, OneBindingGoesTheOthersStay_RG_08) {
    send({"Contact: <sip:1@b>, <sip:2@b>, <sip:3@b>\r\n"});
    send({"Contact: <sip:2@b>;expires=0\r\n", "", 2});
    EXPECT_EQ(listed("alice"), "sip:1@b sip:3@b");
    send({"Contact: *\r\n", "Expires: 0\r\n", 3});
    EXPECT_EQ(listed("alice"), "");
}

TEST_F(Registrar, CSeqMustRiseWithinACallId_RG_03) {
    send({"Contact: <sip:1@b>;expires=100\r\n", "", 5});
    EXPECT_EQ(send({"Contact: <sip:1@b>;expires=200\r\n", "", 4}).first_line(), "SIP/2.0 400 Bad Request");
    // The same again is a retransmission: answered, and nothing changes.
    const Outcome again = send({"Contact: <sip:1@b>;expires=200\r\n", "", 5});
    EXPECT_EQ(again.first_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(header(again, "Contact"), "<sip:1@b>;expires=100");
    EXPECT_EQ(send({"Contact: *\r\n", "Expires: 0\r\n", 5}).first_line(), "SIP/2.0 400 Bad Request");
    EXPECT_EQ(send({"Contact: <sip:1@b>;expires=200\r\n", "", 1, "other"}).first_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(listed("alice"), "sip:1@b");
}

// The first contact would be fine; the second is refused for its CSeq: the first must not have changed.
TEST_F(Registrar, AllContactsOrNone_RG_04) {
    send({"Contact: <sip:2@b>;expires=100\r\n", "", 9});
    EXPECT_EQ(send({"Contact: <sip:1@b>, <sip:2@b>\r\n", "", 8}).first_line(), "SIP/2.0 400 Bad Request");
    EXPECT_EQ(listed("alice"), "sip:2@b");
}

TEST_F(Registrar, TooBriefIs423IfSaidSo_RG_05) {
    settings.min_expires_mode.set(1);
    const Outcome out = send({"Contact: <sip:1@b>;expires=1\r\n"});
    EXPECT_EQ(out.first_line(), "SIP/2.0 423 Interval Too Brief");
    EXPECT_EQ(header(out, "Min-Expires"), "60");
    EXPECT_EQ(send({"Contact: <sip:1@b>;expires=0\r\n", "", 2}).first_line(), "SIP/2.0 200 OK");
}

TEST_F(Registrar, ComparesUrisByRfc3261_PX_29) {
    send({"Contact: <sip:a@EXAMPLE.com;transport=tcp>\r\n"});
    send({"Contact: <sip:%61@example.com;transport=TCP>\r\n", "", 2});
    EXPECT_EQ(totals(0).contacts, 1);
    send({"Contact: <sip:a@example.com>\r\n", "", 3});
    EXPECT_EQ(totals(0).contacts, 2);
}

TEST_F(Registrar, TooManyContactsAre503) {
    settings.max_contacts.set(2);
    settings.retry_after.set(30);
    EXPECT_EQ(send({"Contact: <sip:1@b>, <sip:2@b>\r\n"}).first_line(), "SIP/2.0 200 OK");
    const Outcome out = send({"Contact: <sip:3@b>\r\n", "", 2});
    EXPECT_EQ(out.first_line(), "SIP/2.0 503 Service Unavailable");
    EXPECT_EQ(header(out, "Retry-After"), "30");
    EXPECT_EQ(out.line(), "save -2");
    EXPECT_EQ(send({"Contact: <sip:2@b>\r\n", "", 3}).first_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(send({"Contact: <sip:2@b>;expires=0, <sip:3@b>\r\n", "", 4}).first_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(listed("alice"), "sip:1@b sip:3@b");
}

TEST_F(Registrar, PathIsKeptAsTheModeSays_RG_11) {
    const std::string path = "Path: <sip:edge.example;lr>\r\nPath: <sip:p2;lr>;x\r\n";
    settings.use_path.set(1);
    Outcome out = send({"Contact: <sip:1@b>\r\n", path});
    EXPECT_EQ(out.first_line(), "SIP/2.0 420 Bad Extension");
    EXPECT_EQ(header(out, "Unsupported"), "path");
    out = send({"Contact: <sip:1@b>\r\n", path + "Supported: 100rel, path\r\n"});
    EXPECT_EQ(header(out, "Path"), "<sip:edge.example;lr>, <sip:p2;lr>;x");
    EXPECT_EQ(lookup(), "lookup 1 sip:1@b sip:edge.example;lr");
    settings.path_mode.set(0);
    out = send({"Contact: <sip:1@b>\r\n", path + "Supported: path\r\n", 2});
    EXPECT_EQ(header(out, "Path"), "");
    settings.use_path.set(0);
    EXPECT_EQ(lookup(), "lookup 1 sip:1@b <null>");
}

TEST_F(Registrar, FlowsReplaceByInstanceAndRegId_RG_12) {
    settings.outbound_mode.set(1);
    settings.flow_timer.set(120);
    const auto flow = [](std::string_view uri, int id, int cseq, std::string_view call) {
        return Register{fmt::format("Contact: <{}>;+sip.instance=\"<urn:uuid:9>\";reg-id={}\r\n", uri, id),
                        "Supported: outbound\r\n", cseq, std::string(call)};
    };
    Outcome out = send(flow("sip:1@10.0.0.1", 1, 1, "c1"));
    EXPECT_EQ(header(out, "Require"), "outbound");
    EXPECT_EQ(header(out, "Flow-Timer"), "120");
    EXPECT_EQ(header(out, "Contact"), "<sip:1@10.0.0.1>;expires=3600;+sip.instance=\"<urn:uuid:9>\";reg-id=1");
    send(flow("sip:1@10.0.0.1", 2, 1, "c2"));
    EXPECT_EQ(totals(0).contacts, 2);
    send(flow("sip:1@10.9.9.9", 1, 1, "c3"));
    EXPECT_EQ(listed("alice"), "sip:1@10.9.9.9 sip:1@10.0.0.1");
    Register edge = flow("sip:x@y", 3, 1, "c4");
    edge.vias += "Via: SIP/2.0/UDP 10.1.2.9;branch=z9hG4bK78\r\n";
    EXPECT_EQ(send(edge).first_line(), "SIP/2.0 439 First Hop Lacks Outbound Support");
    edge.more += "Path: <sip:edge;lr;ob>\r\n";
    EXPECT_EQ(send(edge).first_line(), "SIP/2.0 200 OK");
    settings.outbound_mode.set(2);
    EXPECT_EQ(send({"Contact: <sip:1@b>\r\n", "", 7}).first_line(), "SIP/2.0 421 Extension Required");
}

TEST_F(Registrar, LookupGivesAllByQ) {
    send({"Contact: <sip:low@b>;q=0.1, <sip:high@b>;q=0.9, <sip:mid@b>;q=0.5\r\n"});
    script_ = std::make_unique<Script>(
        "request_route { if (method == \"REGISTER\") save(\"location\"); lookup(\"location\"); log(\"lookup $rc $ru "
        "$du\"); "
        "peek(); }",
        std::vector<const ModuleDescriptor*>{&kModule, &registrar::kModule, &kPeeking});
    ASSERT_NE(script_->program, nullptr) << script_->found.text();
    EXPECT_EQ(lookup(), "lookup 1 sip:high@b <null>");
    EXPECT_EQ(g_branches, "900 | sip:mid@b 500 | sip:low@b 100");
    settings.append_branches.set(0);
    lookup();
    EXPECT_EQ(g_branches, "900");
    EXPECT_EQ(lookup("sip:ALICE@elsewhere.example"), "lookup 1 sip:high@b <null>");
    EXPECT_EQ(lookup("sip:bob@example.com"), "lookup -1 sip:bob@example.com <null>");
    EXPECT_EQ(lookup("sip:example.com"), "lookup -3 sip:example.com <null>");
    EXPECT_EQ(lookup("sips:alice@example.com"), "lookup -1 sips:alice@example.com <null>");
}

TEST_F(Registrar, MethodsAreFilteredIfSaidSo) {
    send({"Contact: <sip:1@b>\r\n", "Allow: MESSAGE, OPTIONS\r\n"});
    EXPECT_EQ(lookup(), "lookup 1 sip:1@b <null>");
    settings.method_filtering.set(1);
    EXPECT_EQ(lookup(), "lookup -2 sip:alice@example.com <null>");
}

TEST_F(Registrar, ReceivedIsKeptAndUsed) {
    settings.received_avp.set("$avp(RECEIVED)");
    script_ = std::make_unique<Script>("request_route { $avp(RECEIVED) = \"sip:203.0.113.1:99\"; save(\"location\"); }",
                                       modules());
    EXPECT_EQ(header(send({"Contact: <sip:1@b>\r\n"}), "Contact"),
              "<sip:1@b>;expires=3600;received=\"sip:203.0.113.1:99\"");
    script_ = std::make_unique<Script>(kScript, modules());
    EXPECT_EQ(lookup(), "lookup 1 sip:1@b sip:203.0.113.1:99");
}

TEST_F(Registrar, RemembersTheConnectionIfNobodyStandsBetween) {
    net::Inbound inbound = script::test::from("10.0.0.9", Transport::tls);
    inbound.connection = net::ConnectionId{42};
    send({"Contact: <sip:1@b>\r\n"}, inbound);
    Register proxied{"Contact: <sip:2@b>\r\n", "", 2};
    proxied.vias += "Via: SIP/2.0/UDP 10.1.2.9;branch=z9hG4bK78\r\n";
    send(proxied, inbound);
    Aor alice(0, "alice");
    EXPECT_EQ(alice.first()->connection, 42u);
    EXPECT_EQ(alice.next(alice.first())->connection, 0u);
}

TEST_F(Registrar, OtherFunctionsAndFlags) {
    script_ = std::make_unique<Script>(
        "request_route { if (method == \"REGISTER\") { save(\"location\", 4); exit; }\n"
        "registered(\"location\"); log(\"$rc\"); unregister(\"location\", \"$ru\"); log(\"$rc\");\n"
        "registered(\"location\", \"sip:alice@x\"); log(\"$rc\"); unregister(\"location\", \"$ru\"); log(\"$rc\"); }",
        modules());
    ASSERT_NE(script_->program, nullptr) << script_->found.text();
    send({"Contact: <sip:1@b>\r\n"});
    send({"Contact: <sip:2@b>\r\n", "", 2});
    EXPECT_EQ(listed("alice"), "sip:2@b");
    EXPECT_EQ(script_->send(script::test::request("OPTIONS", "sip:alice@x")).lines,
              (std::vector<std::string>{"1", "1", "-1", "1"}));
}

TEST(RegistrarRows, AreWellFormed) {
    EXPECT_TRUE(well_formed(registrar::kModule));
    EXPECT_TRUE(well_formed(kModule));
    Script variable("request_route { save(\"$rU\"); }", {&kModule, &registrar::kModule});
    EXPECT_NE(variable.found.text().find("must be known at start"), std::string::npos);
}

}  // namespace
}  // namespace kahu::usrloc::test
