// A flow token: text from the network, and tokens of our own that were changed on the way.
#include <cstring>
#include <string>

#include "core/modules/outbound/flow_token.h"
#include "test/fuzz/expect.h"

using namespace kahu;
using outbound::Token;
using script::PeerFlow;

namespace {

// The first octets of the input as a flow.
PeerFlow flow_of(const uint8_t* data, size_t size) {
    uint8_t bytes[46] = {};
    std::memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
    const auto address = [&](size_t at) {
        std::string text;
        for (size_t i = 0; i < 16; i += 2)
            text += (i ? ":" : "") + std::to_string(bytes[at + i] % 10) + std::to_string(bytes[at + i + 1] % 10);
        if (bytes[0] & 1) {
            text.clear();
            for (size_t i = 0; i < 4; ++i) text += (i ? "." : "") + std::to_string(bytes[at + i]);
        }
        return *SocketAddress::parse_ip(text, static_cast<uint16_t>(bytes[at + 16] << 8 | bytes[at + 17]));
    };
    PeerFlow flow{static_cast<Transport>(bytes[0] / 2 % 3), address(1), address(19), {}};
    uint64_t id = 0;
    for (size_t i = 37; i < 45; ++i) id = id << 8 | bytes[i];
    if (is_stream(flow.transport)) flow.connection = static_cast<net::ConnectionId>(id);
    return flow;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const outbound::Key key = outbound::key_of("fuzz");
    PeerFlow got;
    // Nobody finds a token by chance.
    FUZZ_EXPECT(outbound::read_token(fuzz::text_of(data, size), key, got) != Token::good);

    const PeerFlow flow = flow_of(data, size);
    std::string token;
    outbound::append_token(flow, key, token);
    FUZZ_EXPECT(token.size() >= outbound::kShortestToken && token.size() <= outbound::kLongestToken);
    FUZZ_EXPECT(outbound::read_token(token, key, got) == Token::good);
    FUZZ_EXPECT(got.transport == flow.transport && got.local == flow.local && got.peer == flow.peer &&
                got.connection == flow.connection);
    if (size < 2) return 0;

    // One character becomes another one, or the token becomes shorter or longer.
    std::string changed = token;
    const size_t at = data[0] % token.size();
    changed[at] = static_cast<char>(data[1]);
    FUZZ_EXPECT((outbound::read_token(changed, key, got) == Token::good) == (changed == token));
    FUZZ_EXPECT(outbound::read_token(std::string_view(token).substr(0, at), key, got) != Token::good);
    FUZZ_EXPECT(outbound::read_token(token + token.substr(0, 1), key, got) != Token::good);
    return 0;
}
