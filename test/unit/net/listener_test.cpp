// What the parameters of sockets become: read back from the kernel.
#include "core/net/listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include "core/net/settings.h"

namespace kahu::net {
namespace {

int option(const Listener& listener, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(listener.fd.get(), level, name, &value, &size) == 0 ? value : -1;
}

class ListenerOptions : public testing::Test {
  protected:
    ~ListenerOptions() override {
        settings.tos.set(IPTOS_LOWDELAY);
        settings.pmtu_discovery.set(0);
        settings.maxbuffer.set(0);
        settings.maxsndbuffer.set(0);
        for (Listener& listener : listeners()) listener.fd.reset();
    }
    const Listener& bound(Transport transport, const char* host) {
        ListenSpec spec;
        spec.host = host;
        spec.transport = transport;
        spec.where = "test";
        spec.port = 29831;
        for (Listener& listener : listeners()) listener.fd.reset();
        EXPECT_TRUE(plan_listeners(std::span(&spec, 1), true, false));
        EXPECT_TRUE(bind_listeners());
        return listeners()[0];
    }
};

TEST_F(ListenerOptions, TypeOfServiceIsThatOfEachFamilyAndTransport) {
    EXPECT_EQ(option(bound(Transport::udp, "127.31.0.7"), IPPROTO_IP, IP_TOS), IPTOS_LOWDELAY);
    settings.tos.set(0xb8);
    EXPECT_EQ(option(bound(Transport::udp, "127.31.0.7"), IPPROTO_IP, IP_TOS), 0xb8);
    EXPECT_EQ(option(bound(Transport::tcp, "127.31.0.7"), IPPROTO_IP, IP_TOS), 0xb8);
    EXPECT_EQ(option(bound(Transport::udp, "::1"), IPPROTO_IPV6, IPV6_TCLASS), 0xb8);
}

TEST_F(ListenerOptions, DatagramsMayBeFragmentedUnlessThePathIsMeasured) {
    EXPECT_EQ(option(bound(Transport::udp, "127.31.0.7"), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DONT);
    settings.pmtu_discovery.set(1);
    EXPECT_EQ(option(bound(Transport::udp, "127.31.0.7"), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DO);
    EXPECT_EQ(option(bound(Transport::udp, "::1"), IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_DO);
}

TEST_F(ListenerOptions, BuffersAreRaisedAndNeverLowered) {
    const int usual = option(bound(Transport::udp, "127.31.0.7"), SOL_SOCKET, SO_SNDBUF);
    settings.maxbuffer.set(2048);
    settings.maxsndbuffer.set(2048);
    EXPECT_EQ(option(bound(Transport::udp, "127.31.0.7"), SOL_SOCKET, SO_SNDBUF), usual);
    settings.maxsndbuffer.set(usual);  // the kernel counts its own part double: socket(7)
    EXPECT_GE(option(bound(Transport::udp, "127.31.0.7"), SOL_SOCKET, SO_SNDBUF), usual);
}

}  // namespace
}  // namespace kahu::net
