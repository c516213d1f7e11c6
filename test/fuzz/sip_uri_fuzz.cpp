// A URI, and a second one behind a space: parsing and comparison.
#include "core/sip/quoting.h"
#include "core/sip/uri.h"
#include "test/fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace kahu::sip;
    const std::string_view text = kahu::fuzz::text_of(data, size);
    const size_t space = text.find(' ');
    const std::string_view first = text.substr(0, space);
    const std::string_view second = space == text.npos ? first : text.substr(space + 1);
    Uri a, b;
    Bad bad;
    if (!parse_uri(first, a, bad)) {
        FUZZ_EXPECT(bad.at <= first.size());
        return 0;
    }
    for (const std::string_view part : {a.user, a.password, a.host, a.params, a.headers, a.opaque, a.userinfo(),
                                        a.transport, a.maddr, a.user_param, a.method, a.ttl, a.gr, a.scheme_name})
        FUZZ_EXPECT(kahu::fuzz::within(part, first));
    FUZZ_EXPECT(!a.is_sip() || !a.bare_host().empty());
    FUZZ_EXPECT(equal_uris(a, a));
    static std::string out;
    FUZZ_EXPECT(unescape(a.user, out).size() <= a.user.size());
    if (parse_uri(second, b, bad)) FUZZ_EXPECT(equal_uris(a, b) == equal_uris(b, a));
    return 0;
}
