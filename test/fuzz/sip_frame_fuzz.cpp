// A stream: the first octet says in which pieces it arrives.  However it is cut, the same messages must come out, and
// the parser must agree with the framing about where a message ends.
#include <string>
#include <vector>

#include "core/sip/frame.h"
#include "core/sip/message.h"
#include "test/fuzz/expect.h"

namespace kahu::sip {
namespace {

constexpr FrameLimits kLimits{.max_header_bytes = 8192, .max_message_bytes = 16384};

struct Outcome {
    std::vector<size_t> messages;
    int status = 0;
    bool operator==(const Outcome&) const = default;
};

void check_message(std::string_view frame) {
    static Message message;
    Bad bad;
    if (!message.parse(frame, bad)) return;
    FUZZ_EXPECT(message.bytes().size() == frame.size());
    FUZZ_EXPECT(message.content_length() == message.body().size());
}

// A head without a usable Content-Length: the parser must not find one.
void check_refused_head(std::string_view head) {
    static Message message;
    Bad bad;
    FUZZ_EXPECT(!message.parse(head, bad) || !message.has(HeaderId::content_length));
}

Outcome deliver(std::string_view stream, size_t step) {
    Outcome outcome;
    FrameState state;
    size_t start = 0, arrived = 0;
    while (arrived < stream.size()) {
        arrived += std::min(step, stream.size() - arrived);
        while (start < arrived) {
            const FrameResult r = next_frame(stream.substr(start, arrived - start), state, kLimits);
            if (r.kind == FrameKind::need_more) break;
            FUZZ_EXPECT(r.bytes <= arrived - start);
            if (r.kind == FrameKind::error) {
                outcome.status = r.status;
                FUZZ_EXPECT(r.status >= 400);
                if (r.status == 400 && r.bytes > 0) check_refused_head(stream.substr(start, r.bytes));
                return outcome;
            }
            FUZZ_EXPECT(r.bytes > 0);
            if (r.kind == FrameKind::message) {
                FUZZ_EXPECT(r.bytes <= kLimits.max_message_bytes);
                outcome.messages.push_back(r.bytes);
                check_message(stream.substr(start, r.bytes));
            }
            start += r.bytes;
        }
    }
    return outcome;
}

}  // namespace
}  // namespace kahu::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string_view stream = kahu::fuzz::text_of(data + 1, size - 1);
    const auto whole = kahu::sip::deliver(stream, stream.size() + 1);
    FUZZ_EXPECT(kahu::sip::deliver(stream, size_t{1} + data[0] % 64) == whole);
    FUZZ_EXPECT(kahu::sip::deliver(stream, 1) == whole);
    return 0;
}
