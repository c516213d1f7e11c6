#include "core/sip/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

static_assert(std::is_standard_layout_v<FrameState> && std::is_trivially_copyable_v<FrameState>);
static_assert(sizeof(FrameState) <= 24, "kept per connection in the segment");

// What comes out of a stream that arrives in pieces of `step` bytes: "M12 P4 S2 E400".
std::string frames(std::string_view stream, size_t step, const FrameLimits& limits = {}) {
    std::string printed, buffer;
    FrameState state;
    for (size_t at = 0; at < stream.size(); at += step) {
        buffer += stream.substr(at, step);
        while (true) {
            const FrameResult r = next_frame(buffer, state, limits);
            if (r.kind == FrameKind::need_more) break;
            printed += printed.empty() ? "" : " ";
            if (r.kind == FrameKind::error)
                return printed + "E" + std::to_string(r.status) + "@" + std::to_string(r.bytes);
            printed += r.kind == FrameKind::message ? "M" : r.kind == FrameKind::ping ? "P" : "S";
            if (r.kind != FrameKind::ping) printed += std::to_string(r.bytes);
            EXPECT_GT(r.bytes, 0u);
            EXPECT_LE(r.bytes, buffer.size());
            buffer.erase(0, r.bytes);
        }
    }
    return printed + (buffer.empty() ? "" : " +" + std::to_string(buffer.size()));
}

constexpr std::string_view kOne = "OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc";  // 34 octets
constexpr std::string_view kFolded = "BYE sip:a SIP/2.0\r\nContent-Length  :\r\n 2\r\nX: y\r\n z\r\n\r\nok";

TEST(Frame, PipelinedMessages) {
    const std::string stream = std::string(kOne) + std::string(kFolded) + std::string(kOne);
    EXPECT_EQ(frames(stream, stream.size()), "M34 M56 M34");
    EXPECT_EQ(frames(std::string(kOne).substr(0, 33), 33), " +33");
}

struct Case {
    const char* name;
    std::string_view text;
    std::string_view printed;
};
constexpr Case kCases[] = {
    {"plain", kOne, "M34"},
    {"folded_length", kFolded, "M56"},
    {"line_feeds", "BYE sip:a SIP/2.0\nl:0\n\n", "M23"},
    {"no_length", "BYE sip:a SIP/2.0\r\nX: 1\r\n\r\n", "E400@27"},
    {"bad_length", "BYE sip:a SIP/2.0\r\nl: -1\r\n\r\n", "E400@28"},
    {"huge_length", "BYE sip:a SIP/2.0\r\nl: 4294967295\r\n\r\n", "E513@36"},
    {"overflowing_length", "BYE sip:a SIP/2.0\r\nl: 4294967296\r\n\r\n", "E400@36"},
    {"two_lengths", "BYE sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 1\r\n\r\nx", "E400@46"},
    {"length_list", "BYE sip:a SIP/2.0\r\nl: 1, 1\r\n\r\nx", "E400@30"},
    {"length_in_fold", "BYE sip:a SIP/2.0\r\nX: a\r\n l: 9\r\nl: 0\r\n\r\n", "M40"},
    {"length_in_longer_name", "BYE sip:a SIP/2.0\r\nContent-Length-X: 9\r\nl: 0\r\n\r\n", "M48"},
    {"status_line", "SIP/2.0 200 OK\r\nl: 0\r\n\r\n", "M24"},
    {"tls_hello", "\x16\x03\x01\x02", "E400@0"},
    {"not_sip", "hello there\r\n", "E400@0"},
    {"lone_cr", "\rX", "E400@0"},
};
class FrameTable : public testing::TestWithParam<Case> {};

TEST_P(FrameTable, SameAtOnceAndByteByByte) {
    const std::string_view text = GetParam().text;
    EXPECT_EQ(frames(text, text.size()), GetParam().printed);
    for (size_t step = 1; step < text.size(); ++step) ASSERT_EQ(frames(text, step), GetParam().printed) << step;
}
TEST_P(FrameTable, NoPrefixIsReadPastItsEnd) {
    on_every_prefix(GetParam().text, [](std::string_view text) {
        FrameState state;
        (void)next_frame(text, state, {});
    });
}
INSTANTIATE_TEST_SUITE_P(Rfc3261, FrameTable, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Frame, KeepAlives) {
    EXPECT_EQ(frames("\r\n\r\n", 4), "P");
    EXPECT_EQ(frames("\r\n\r\n", 2), "S2 P");
    EXPECT_EQ(frames("\r\n\r\n", 1), "S2 P");
    EXPECT_EQ(frames("\r\n", 2), "S2") << "nothing stays in the buffer of an idle connection";
    EXPECT_EQ(frames("\r\n\r\n\r\n\r\n", 8), "P P");
    const std::string mixed = "\r\n" + std::string(kOne) + "\r\n" + std::string(kOne);
    EXPECT_EQ(frames(mixed, mixed.size()), "S2 M34 S2 M34");
    EXPECT_EQ(frames(mixed, 1), "S2 M34 S2 M34") << "a message in between: no ping";
    EXPECT_EQ(frames("\n\n", 1), "S1 S1");
}

TEST(Frame, Limits) {
    const FrameLimits small{.max_header_bytes = 64, .max_message_bytes = 80};
    const std::string long_header = "BYE sip:a SIP/2.0\r\nX: " + std::string(100, 'x');
    for (const size_t step : {size_t{1}, size_t{7}, long_header.size()})
        EXPECT_EQ(frames(long_header, step, small), "E513@0");
    EXPECT_EQ(frames("BYE sip:a SIP/2.0\r\nl: 53\r\n\r\n", 28, small), "E513@28");
    EXPECT_EQ(frames("BYE sip:a SIP/2.0\r\nl: 52\r\n\r\n" + std::string(52, 'b'), 1, small), "M80");
    EXPECT_EQ(frames("BYE sip:a SIP/2.0\r\nX: 1\r\n\r\n", 1, {.accept_no_content_length = true}), "M27");
}

TEST(Frame, KnowsTheSizeOnceTheHeadIsThere) {
    FrameState state;
    const std::string_view partial = kOne.substr(0, 32);
    EXPECT_EQ(next_frame(partial, state, {}).kind, FrameKind::need_more);
    EXPECT_EQ(frame_bytes(state), 34u);
}

TEST(Frame, ByteByByteLooksAtEachByteOnce) {
    // 64 kB in single octets: quadratic scanning would take seconds.
    const std::string body(60000, 'b');
    const std::string text = "BYE sip:a SIP/2.0\r\nX: " + std::string(4000, 'x') + "\r\nl: 60000\r\n\r\n" + body;
    FrameState state;
    for (size_t n = 1; n < text.size(); ++n)
        ASSERT_EQ(next_frame(std::string_view(text).substr(0, n), state, {}).kind, FrameKind::need_more) << n;
    EXPECT_EQ(next_frame(text, state, {}).bytes, text.size());
}

}  // namespace
}  // namespace kahu::sip
