// The codec of flow tokens: what was written is read again, and nothing else is.
#include "core/modules/outbound/flow_token.h"

#include <gtest/gtest.h>

#include <set>

namespace kahu::outbound {
namespace {

using script::PeerFlow;

const Key kKey = key_of("secret"), kOther = key_of("other");

PeerFlow flow(Transport transport, const char* local, const char* peer, uint64_t connection = 0) {
    return {transport, *SocketAddress::parse_ip(local, 5060), *SocketAddress::parse_ip(peer, 40000),
            static_cast<net::ConnectionId>(connection)};
}
std::string token_of(const PeerFlow& of, const Key& key = kKey) {
    std::string out;
    append_token(of, key, out);
    return out;
}
bool same(const PeerFlow& a, const PeerFlow& b) {
    return a.transport == b.transport && a.local == b.local && a.peer == b.peer && a.connection == b.connection;
}

struct Case {
    const char* name;
    PeerFlow flow;
    size_t size;
};
const Case kCases[] = {
    {"udp_v4", flow(Transport::udp, "127.0.0.1", "10.0.0.1"), 39},
    {"tcp_v4", flow(Transport::tcp, "127.0.0.1", "10.0.0.1", 1), 50},
    {"tls_v4", flow(Transport::tls, "192.0.2.1", "255.255.255.255", UINT64_MAX), 50},
    {"udp_v6", flow(Transport::udp, "::1", "2001:db8::1"), 71},
    {"tls_v6", flow(Transport::tls, "2001:db8::2", "2001:db8::1", 0x0102030405060708), 82},
};
class FlowToken : public testing::TestWithParam<Case> {};

TEST_P(FlowToken, IsReadAsItWasWritten) {
    const std::string token = token_of(GetParam().flow);
    EXPECT_EQ(token.size(), GetParam().size);
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), token.npos);
    PeerFlow got;
    ASSERT_EQ(read_token(token, kKey, got), Token::good);
    EXPECT_TRUE(same(got, GetParam().flow));
}
TEST_P(FlowToken, AnotherKeyKnowsItNot) {
    PeerFlow got;
    EXPECT_EQ(read_token(token_of(GetParam().flow, kOther), kKey, got), Token::broken);
}
TEST_P(FlowToken, EachChangedCharacterBreaksIt) {
    const std::string token = token_of(GetParam().flow);
    PeerFlow got;
    for (size_t i = 0; i < token.size(); ++i)
        for (const char c : {'A', 'B', 'z', '9', '-', '_'}) {
            std::string changed = token;
            changed[i] = c;
            EXPECT_EQ(read_token(changed, kKey, got), changed == token ? Token::good : Token::broken) << i << c;
        }
}
TEST_P(FlowToken, NothingMayBeMissingOrAdded) {
    const std::string token = token_of(GetParam().flow);
    PeerFlow got;
    for (size_t n = 0; n < token.size(); ++n)
        EXPECT_EQ(read_token(std::string_view(token).substr(0, n), kKey, got),
                  n < kShortestToken ? Token::none : Token::broken)
            << n;
    EXPECT_EQ(read_token(token + "A", kKey, got), Token::broken);
    EXPECT_EQ(read_token(std::string(4096, 'A'), kKey, got), Token::broken);
}
INSTANTIATE_TEST_SUITE_P(Rfc5626, FlowToken, testing::ValuesIn(kCases), [](const auto& i) { return i.param.name; });

TEST(FlowTokens, OtherUsersAreNone) {
    PeerFlow got;
    for (const char* user :
         {"", "alice", "loadbalancer", "+49301234567", "a.user.with.dots.that.is.quite.long.enough.to.be.one",
          "%41%42%43%44%45%46%47%48%49%50%51%52%53"})
        EXPECT_EQ(read_token(user, kKey, got), Token::none) << user;
}
TEST(FlowTokens, EachFlowHasItsOwn) {
    std::set<std::string> tokens;
    for (uint64_t i = 0; i < 1000; ++i) tokens.insert(token_of(flow(Transport::tcp, "127.0.0.1", "10.0.0.1", i)));
    EXPECT_EQ(tokens.size(), 1000u);
}
TEST(FlowTokens, TheKeyIsTheSecrets) {
    EXPECT_EQ(key_of("secret"), key_of("secret"));
    EXPECT_NE(key_of("secret"), key_of("Secret"));
}

}  // namespace
}  // namespace kahu::outbound
