#include "core/net/reverse_lookup.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "core/base/fd.h"
#include "core/net/dns_settings.h"

namespace kahu::net {
namespace {

// A name server that says nothing: its port is open.
class SilentServer : public testing::Test {
  protected:
    SilentServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        auto at = *SocketAddress::parse_ip("127.31.0.8");
        at.set_port(29853);
        EXPECT_EQ(::bind(socket_.get(), at.raw(), at.raw_size()), 0);
        EXPECT_TRUE(dns_settings.servers.set("127.31.0.8:29853"));
    }
    ~SilentServer() override { (void)dns_settings.servers.set(""); }

  private:
    UniqueFd socket_;
};

TEST_F(SilentServer, IsWaitedForOnceForAllAddresses) {
    std::vector<SocketAddress> addresses;
    for (const char* ip : {"192.0.2.1", "192.0.2.2", "127.0.0.1", "192.0.2.3"})
        addresses.push_back(*SocketAddress::parse_ip(ip));
    const clock::Millis began = clock::read();
    const ReverseNames found = names_of(addresses, 300);
    const clock::Millis took = clock::read() - began;
    EXPECT_FALSE(found.in_time);
    EXPECT_GE(took, 300);
    EXPECT_LT(took, 5000);  // a machine may be busy; resolv.conf's own patience is longer
    EXPECT_EQ(found.names, (std::vector<std::string>{"", "", "localhost", ""}));  // /etc/hosts has it
}

TEST(ReverseLookup, OfNoAddressEndsAtOnce) {
    const ReverseNames found = names_of({}, 300);
    EXPECT_TRUE(found.in_time);
    EXPECT_TRUE(found.names.empty());
}

}  // namespace
}  // namespace kahu::net
