// What scripts ask of connections: rows made by hand, without sockets.
#include "core/modules/tcpops/module.h"

#include "core/net/connection_events.h"
#include "core/net/listener.h"
#include "core/script/script_log.h"
#include "test/unit/net/segment.h"
#include "test/unit/script/harness.h"

namespace kahu::tcpops {
namespace {

using net::Connection;
using net::ConnectionEnd;
using net::ConnectionId;
using net::ConnectionState;
using script::test::Script;

class Tcpops : public net::WithSegment {
  protected:
    Tcpops() : WithSegment(16) {}
    void SetUp() override {
        WithSegment::SetUp();
        row_ = &net::connection_row(3);
        net::Listener listener;
        listener.transport = Transport::tcp;
        listener.address = *SocketAddress::parse_ip("127.0.0.1", 5060);
        net::fill_connection(*row_, listener, *SocketAddress::parse_ip("10.1.2.3", 4711), 0);
        id_ = net::next_id(*row_);
        net::publish_connection(*row_, id_);
        row_->state.store(ConnectionState::established);
    }
    void TearDown() override {
        net::set_end_handler(nullptr, false);
        WithSegment::TearDown();
    }
    std::string logged(const std::string& statements) {
        Script script("request_route {\n" + statements + "\n}\n", {&kModule});
        EXPECT_NE(script.program, nullptr) << script.found.text();
        net::Inbound inbound = script::test::from("10.1.2.3", Transport::tcp);
        inbound.connection = id_;
        return script.send(script::test::request(), inbound).line();
    }
    Connection* row_ = nullptr;
    ConnectionId id_ = ConnectionId::none;
};

TEST_F(Tcpops, TellsTheState) {
    const std::string asks =
        "tcp_conid_state($conid); $var(s) = $rc; tcp_conid_alive(\"$conid\"); log(\"$var(s) $rc\");";
    struct {
        ConnectionState state;
        bool outbound;
        const char* expected;
    } const cases[] = {
        {ConnectionState::established, false, "1 1"}, {ConnectionState::handshaking, false, "2 1"},
        {ConnectionState::handshaking, true, "3 1"},  {ConnectionState::connecting, true, "3 1"},
        {ConnectionState::accepted, false, "2 1"},    {ConnectionState::closing, false, "-1 -1"},
    };
    for (const auto& c : cases) {
        row_->outbound = c.outbound;
        row_->state.store(c.state);
        EXPECT_EQ(logged(asks), c.expected) << static_cast<int>(c.state);
    }
    row_->state.store(ConnectionState::established);
    row_->kill.store(true);
    EXPECT_EQ(logged(asks), "-3 -1");
    for (const char* none : {"0", "-1", "999999", "x", ""})
        EXPECT_EQ(logged(std::string("tcp_conid_state(\"") + none + "\"); log(\"$rc\");"), "-1") << none;
}

TEST_F(Tcpops, SetsTheLifetime) {
    EXPECT_EQ(logged("tcp_set_connection_lifetime(\"30\"); log(\"$rc\");"), "1");
    EXPECT_EQ(row_->lifetime_ms.load(), 30'000);
    EXPECT_EQ(logged("tcp_set_connection_lifetime($conid, \"40\"); log(\"$rc\");"), "1");
    EXPECT_EQ(row_->lifetime_ms.load(), 40'000);
    EXPECT_LE(row_->deadline.load(), clock::now_ms() + 40'000);
    EXPECT_EQ(logged("tcp_set_connection_lifetime(\"99999999999\"); log(\"$rc\");"), "1");
    EXPECT_EQ(row_->lifetime_ms.load(), 1'000'000'000);
    for (const char* bad : {"\"-1\"", "\"x\"", "\"999999\", \"1\""})
        EXPECT_EQ(logged(std::string("tcp_set_connection_lifetime(") + bad + "); log(\"$rc\");"), "-1") << bad;
}

TEST_F(Tcpops, ClosesAndTells) {
    net::set_end_handler([](const net::Inbound&, ConnectionEnd) {}, false);
    EXPECT_EQ(net::end_handler_of(*row_), nullptr);
    EXPECT_EQ(logged("tcp_enable_closed_event(); log(\"$rc\");"), "1");
    EXPECT_NE(net::end_handler_of(*row_), nullptr);
    row_->state.store(ConnectionState::connecting);
    EXPECT_EQ(net::end_handler_of(*row_), nullptr);
    row_->state.store(ConnectionState::established);
    EXPECT_EQ(logged("tcp_close_connection(\"999999\"); log(\"$rc\");"), "-1");
    EXPECT_FALSE(row_->kill.load());
    EXPECT_EQ(logged("tcp_close_connection(); log(\"$rc\");"), "1");
    EXPECT_TRUE(row_->kill.load());
}

TEST_F(Tcpops, FindsNobodyAtWhatIsNoAddress) {
    for (const char* where :
         {"", ":", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:99999", "host.name:5060", "1.2.3.4", "[::1]:5061"})
        EXPECT_EQ(
            logged(std::string("$var(x) = 7; tcp_get_conid(\"") + where + "\", \"$var(x)\"); log(\"$rc $var(x)\");"),
            "-1 0")
            << where;
    Script script("request_route { tcp_get_conid(\"1.2.3.4\", \"5\"); }", {&kModule});
    EXPECT_EQ(script.program, nullptr);
}

TEST(TcpopsModule, RowsAreWellFormed) { EXPECT_TRUE(well_formed(kModule)); }

}  // namespace
}  // namespace kahu::tcpops
