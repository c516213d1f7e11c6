// A datagram that may be a STUN Binding request.
#include "core/modules/stun/stun.h"

#include "test/fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace kahu;
    static const SocketAddress from = *SocketAddress::parse_ip("2001:db8::1", 5060);
    static std::string out;
    const std::string_view datagram = fuzz::text_of(data, size);
    if (!stun::answer(datagram, from, out)) return 0;
    // No larger than what was sent and little more; of whole words; with the same transaction.
    FUZZ_EXPECT(stun::looks_like_stun(datagram) && out.size() % 4 == 0 && out.size() <= size + 72);
    FUZZ_EXPECT(out.substr(4, 16) == datagram.substr(4, 16));
    FUZZ_EXPECT(!stun::answer(out, from, out));
    return 0;
}
