// A configuration file. Whatever it holds, parsing ends, with errors or with a tree whose text reads as itself.
#include "core/config/parse.h"
#include "test/fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace kahu::config;
    ParseOptions options;
    options.allow_files = false;  // a fuzzer must not read the machine it runs on
    options.allow_environment = false;
    options.max_total_bytes = 256 * 1024;
    Diagnostics found;
    const auto first = parse_text(kahu::fuzz::text_of(data, size), "fuzz.cfg", options, found);
    FUZZ_EXPECT(static_cast<bool>(first) == !found.failed());
    FUZZ_EXPECT(found.all().size() <= Diagnostics::kMaxKeptErrors + Diagnostics::kMaxWarnings);
    if (!first) return 0;
    const std::string text = to_text(*first);
    if (text.size() > options.max_total_bytes / 2) return 0;
    Diagnostics again;
    const auto second = parse_text(text, "again.cfg", options, again);
    FUZZ_EXPECT(second);
    FUZZ_EXPECT(to_text(*second) == text);
    return 0;
}
