// Keep-alives: to whom, what is sent, and what counts as its answer.
#include "core/modules/usrloc/keepalive.h"

#include <gtest/gtest.h>

#include "core/modules/usrloc/settings.h"
#include "core/net/listener.h"
#include "core/script/run.h"
#include "core/sip/message.h"
#include "test/unit/usrloc/fixture.h"

namespace kahu::usrloc {
namespace {

class Keepalive : public test::LocationTest {
  protected:
    void SetUp() override {
        LocationTest::SetUp();
        const net::ListenSpec specs[] = {{.transport = Transport::udp, .host = "127.0.0.1", .port = 5060},
                                         {.transport = Transport::tcp, .host = "127.0.0.1", .port = 5060}};
        ASSERT_TRUE(net::plan_listeners(specs, true, false));
        settings.ka_mode.set(1);
        settings.nat_bflag.set(5);
    }
    void TearDown() override {
        settings.ka_mode.set(0);
        settings.ka_timeout.set(0);
        settings.ka_filter.set(0);
        settings.nat_bflag.set(-1);
        LocationTest::TearDown();
    }

    static keepalive::Ping ping_of(std::string_view aor) {
        Aor record(0, aor);
        return keepalive::Ping::of(*record.first());
    }
    static std::string request_to(std::string_view aor) {
        net::Destination to;
        to.listener = 0;
        return keepalive::request_text(ping_of(aor), to);
    }
    // A 200 to it, with `tag` instead of From's if there is one.
    static bool take(const std::string& request, std::string_view tag = {}) {
        std::string reply = "SIP/2.0 200 OK" + request.substr(request.find("\r\n"));
        if (!tag.empty()) {
            const size_t at = reply.find(";tag=") + 5;
            reply.replace(at, reply.find("\r\n", at) - at, tag);
        }
        static sip::Message message;
        static script::Run run;
        sip::Bad bad;
        EXPECT_TRUE(message.parse(reply, bad));
        run.begin(message, {}, kReplyRoute);
        return keepalive::take_answer(run);
    }
    static std::string tag_of(const std::string& request) {
        const size_t at = request.find(";tag=") + 5;
        return request.substr(at, request.find("\r\n", at) - at);
    }
};

TEST_F(Keepalive, GoesToWhomTheModeSays) {
    struct Case {
        const char* name;
        int64_t mode, filter;
        bool natted, stream;
        uint32_t server_id;
        bool due;
    };
    constexpr Case kCases[] = {
        {"off", 0, 0, true, false, 0, false},
        {"all", 1, 0, false, true, 0, true},
        {"natted only", 3, 0, false, false, 0, false},
        {"natted", 3, 0, true, true, 0, true},
        {"udp only", 5, 0, true, true, 0, false},
        {"udp", 5, 0, false, false, 0, true},
        {"both", 6, 0, true, false, 0, true},
        {"both, a stream", 6, 0, true, true, 0, false},
        {"of another server", 1, 1, true, false, 7, false},
        {"any server's", 1, 0, true, false, 7, true},
    };
    for (const Case& c : kCases) {
        settings.ka_mode.set(c.mode);
        settings.ka_filter.set(c.filter);
        Contact contact{};
        contact.cflags = c.natted ? 1U << 5 : 0;
        contact.socket = c.stream ? 1 : 0;
        contact.server_id = c.server_id;
        contact.state = State::stored;
        EXPECT_EQ(keepalive::is_due(contact), c.due) << c.name;
        contact.state = State::removed;
        EXPECT_FALSE(keepalive::is_due(contact)) << c.name;
    }
}

TEST_F(Keepalive, OnlyWhoIsAskedCanBeSilent) {
    settings.ka_timeout.set(60);
    Contact contact{};
    contact.last_keepalive = 1000;
    EXPECT_FALSE(keepalive::is_silent(contact, 1060));
    EXPECT_TRUE(keepalive::is_silent(contact, 1061));
    settings.ka_mode.set(2);
    EXPECT_FALSE(keepalive::is_silent(contact, 5000)) << "not behind a NAT: nothing was sent";
    contact.cflags = 1U << 5;
    EXPECT_TRUE(keepalive::is_silent(contact, 5000));
    settings.ka_timeout.set(0);
    EXPECT_FALSE(keepalive::is_silent(contact, 5000));
}

TEST_F(Keepalive, AnAnswerIsNotedWithTheContact) {
    ASSERT_TRUE(save("alice", "sip:alice@192.0.2.1"));
    const std::string request = request_to("alice");
    EXPECT_TRUE(
        request.starts_with("OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK"))
        << request;
    EXPECT_NE(request.find("\r\nTo: <sip:alice@kamailio.org>\r\n"), request.npos) << request;
    {
        Aor record(0, "alice");
        record.first()->last_keepalive = 0;
    }
    EXPECT_TRUE(take(request));
    Aor record(0, "alice");
    EXPECT_GE(record.first()->last_keepalive + 2, static_cast<uint32_t>(clock::unix_seconds()));
    EXPECT_LT(record.first()->roundtrip, 5'000'000U);
}

TEST_F(Keepalive, AContactThatIsGoneIsNoHarm) {
    ASSERT_TRUE(save("bob", "sip:bob@192.0.2.1"));
    const std::string request = request_to("bob");
    ASSERT_EQ(remove_all(0, "bob"), 1U);
    EXPECT_TRUE(take(request)) << "it was an answer to us";
}

TEST_F(Keepalive, NobodyElseCanMakeATag) {
    ASSERT_TRUE(save("carol", "sip:carol@192.0.2.1"));
    const std::string request = request_to("carol"), tag = tag_of(request);
    for (size_t i = 0; i < tag.size(); ++i) {
        std::string other = tag;
        other[i] = other[i] == '1' ? '2' : '1';
        EXPECT_FALSE(take(request, other)) << other;
        if (i == 0) continue;
        EXPECT_FALSE(take(request, tag.substr(0, i)));
    }
    EXPECT_FALSE(take(request, tag + "0"));
    EXPECT_TRUE(take(request, tag));
    settings.ka_mode.set(0);
    EXPECT_FALSE(take(request, tag));
}

TEST_F(Keepalive, ThePathIsTheRoute) {
    Fields fields = contact("sip:dave@192.0.2.1");
    fields[Text::path] = "<sip:edge.example.org;lr>";
    const Aor::Change change{nullptr, &fields};
    ASSERT_TRUE(Aor(0, "dave").apply({&change, 1}));
    EXPECT_NE(request_to("dave").find("\r\nRoute: <sip:edge.example.org;lr>\r\n"), std::string::npos);
}

}  // namespace
}  // namespace kahu::usrloc
