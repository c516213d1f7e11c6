// A Via value.
#include <string>

#include "core/sip/builder.h"
#include "core/sip/via.h"
#include "test/fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace kahu::sip;
    const std::string_view text = kahu::fuzz::text_of(data, size);
    ViaList list(text);
    for (Via via; list.next(via);) {
        for (const std::string_view part : {via.text, via.protocol, via.transport, via.host, via.params, via.branch,
                                            via.received, via.maddr, via.ttl, via.rport_text})
            FUZZ_EXPECT(kahu::fuzz::within(part, text));
        FUZZ_EXPECT(!via.host.empty() && !via.bare_host().empty());

        // With the source put in it is still a Via, and says the source.
        static std::string out;
        out.clear();
        append_via_with_source(via, "203.0.113.77", 4321, out);
        Via again;
        Bad bad;
        size_t used = 0;
        FUZZ_EXPECT(parse_via(out, again, used, bad) && used == out.size());
        FUZZ_EXPECT(again.host == via.host && again.port == via.port && again.branch == via.branch);
        FUZZ_EXPECT(again.received == "203.0.113.77" || again.host == "203.0.113.77");
        FUZZ_EXPECT(!via.has_rport || again.rport == 4321);
    }
    FUZZ_EXPECT(list.bad() == nullptr || list.bad()->at <= size);
    return 0;
}
