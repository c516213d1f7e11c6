// The index of connections against a plain model; which socket a destination is sent from; orders and their bounds.
#include "core/net/connect.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/net/connection_table.h"
#include "core/net/destination.h"
#include "core/net/listener.h"
#include "core/stats/registry.h"
#include "test/unit/net/segment.h"

namespace kahu::net {
namespace {

using kahu::Transport;

class Connect : public WithSegment {
  protected:
    Connect() : WithSegment(64) {}
    static ConnectionId open(size_t index, Transport transport, const char* ip, uint16_t port, bool outbound = false,
                             std::string_view host = "") {
        Connection& row = connection_row(index);
        if (row.uses == 0) new (&row) Connection{};
        row.transport = transport;
        row.peer = *SocketAddress::parse_ip(ip, port);
        row.outbound = outbound;
        row.host_hash = hash_host(host);
        row.state.store(ConnectionState::established);
        row.kill.store(false);
        const ConnectionId id = next_id(row);
        publish_connection(row, id);
        index_connection(index, IndexNode::peer, port);
        return id;
    }
    static void close(size_t index) {
        connection_row(index).id.store(0);
        unindex_connection(index);
    }
    static Destination to(Transport transport, const char* ip, uint16_t port, std::string_view host = "") {
        Destination destination;
        destination.transport = transport;
        destination.address = *SocketAddress::parse_ip(ip, port);
        EXPECT_TRUE(destination.set_host(host));
        return destination;
    }
};

TEST_F(Connect, FindsByTransportAndAddress) {
    const ConnectionId tcp = open(0, Transport::tcp, "10.0.0.1", 5060);
    const ConnectionId v6 = open(1, Transport::tcp, "2001:db8::1", 5060);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", 5060)), tcp);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "2001:db8::1", 5060)), v6);
    EXPECT_EQ(find_connection_to(to(Transport::tls, "10.0.0.1", 5060)), ConnectionId::none);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", 5061)), ConnectionId::none);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.2", 5060)), ConnectionId::none);
}

TEST_F(Connect, UR_06_ATlsConnectionServesTheDomainItWasVerifiedForOnly) {
    const ConnectionId made = open(0, Transport::tls, "10.0.0.1", 5061, true, "a.example");
    EXPECT_EQ(find_connection_to(to(Transport::tls, "10.0.0.1", 5061, "A.Example")), made);
    EXPECT_EQ(find_connection_to(to(Transport::tls, "10.0.0.1", 5061, "b.example")), ConnectionId::none);
    const ConnectionId came = open(1, Transport::tls, "10.0.0.2", 40000);
    EXPECT_EQ(find_connection_to(to(Transport::tls, "10.0.0.2", 40000, "b.example")), ConnectionId::none);
    EXPECT_EQ(find_connection_to(to(Transport::tls, "10.0.0.2", 40000, "10.0.0.2")), came);
}

TEST_F(Connect, TheGivenConnectionGoesFirstWhileItLives) {
    const ConnectionId flow = open(0, Transport::tcp, "10.0.0.1", 40001);
    const ConnectionId other = open(1, Transport::tcp, "10.0.0.1", 5060);
    Destination destination = to(Transport::tcp, "10.0.0.1", 5060);
    destination.connection = flow;
    EXPECT_EQ(find_connection_to(destination), flow);
    close(0);
    EXPECT_EQ(find_connection_to(destination), other);
    connection_row(1).kill.store(true);
    EXPECT_EQ(find_connection_to(destination), ConnectionId::none);
}

TEST_F(Connect, AliasesAreFoundUntilTheConnectionEnds) {
    const ConnectionId id = open(0, Transport::tcp, "10.0.0.1", 40001);
    index_connection(0, IndexNode::alias, 5060);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", 5060)), id);
    index_connection(0, IndexNode::alias, 5070);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", 5060)), ConnectionId::none);
    rebuild_connection_index();
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", 5070)), id);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", 40001)), id);
    close(0);
    EXPECT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", 5070)), ConnectionId::none);
}

TEST_F(Connect, IndexAgreesWithAModel) {
    std::mt19937 random(1);
    std::map<size_t, std::pair<ConnectionId, uint16_t>> model;
    for (int step = 0; step < 20'000; ++step) {
        const size_t index = random() % 64;
        if (model.contains(index)) {
            close(index);
            model.erase(index);
        } else {
            const auto port = static_cast<uint16_t>(10'000 + step % 50'000);
            model[index] = {open(index, Transport::tcp, "10.0.0.1", port), port};
        }
        if (step % 997 == 0) rebuild_connection_index();
        if (step % 16 != 0) continue;
        for (const auto& [row, entry] : model)
            ASSERT_EQ(find_connection_to(to(Transport::tcp, "10.0.0.1", entry.second)), entry.first) << row;
    }
}

TEST_F(Connect, OrdersNeedSomebodyToCarryThemOut) {
    EXPECT_EQ(order_connection(to(Transport::tcp, "10.0.0.1", 5060), "x", 0), Sent::unreachable);
}

TEST(Listeners, AreChosenByTransportFamilyAndReach) {
    std::vector<ListenSpec> specs(5);
    const char* hosts[] = {"192.0.2.1", "127.0.0.1", "192.0.2.1", "::1", "192.0.2.9"};
    const Transport transports[] = {Transport::udp, Transport::udp, Transport::tcp, Transport::udp, Transport::udp};
    for (size_t i = 0; i < specs.size(); ++i) {
        specs[i].host = hosts[i];
        specs[i].transport = transports[i];
        specs[i].port = static_cast<uint16_t>(27200 + i);
    }
    ASSERT_TRUE(plan_listeners(specs, true, false));
    struct Case {
        Transport transport;
        const char* ip;
        uint16_t preferred;
        int expected;  // -1: none
    };
    const Case cases[] = {
        {Transport::udp, "198.51.100.1", kAnyListener, 0},
        {Transport::udp, "127.0.0.9", kAnyListener, 1},
        {Transport::tcp, "198.51.100.1", kAnyListener, 2},
        {Transport::udp, "::1", kAnyListener, 3},
        {Transport::tls, "198.51.100.1", kAnyListener, -1},
        {Transport::tcp, "2001:db8::1", kAnyListener, -1},
        {Transport::udp, "198.51.100.1", 4, 4},
        {Transport::udp, "198.51.100.1", 2, 0},
        {Transport::udp, "198.51.100.1", 1, 0},
    };
    for (const Case& c : cases) {
        Destination destination;
        destination.transport = c.transport;
        destination.address = *SocketAddress::parse_ip(c.ip, 5060);
        EXPECT_EQ(choose_listener(destination, c.preferred), c.expected >= 0) << c.ip;
        if (c.expected >= 0) {
            EXPECT_EQ(destination.listener, c.expected) << c.ip;
        }
    }
}

}  // namespace
}  // namespace kahu::net
