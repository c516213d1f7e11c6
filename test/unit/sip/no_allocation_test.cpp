// The message path allocates nothing once the reused objects have grown: every operator new of this program is counted.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "core/sip/builder.h"
#include "core/sip/edit.h"
#include "core/sip/frame.h"
#include "core/sip/validate.h"

namespace {
size_t allocations = 0;

void* counted(size_t bytes) {
    ++allocations;
    if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
    throw std::bad_alloc();
}
}  // namespace

void* operator new(size_t bytes) { return counted(bytes); }
void* operator new[](size_t bytes) { return counted(bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
void operator delete[](void* block, size_t) noexcept { std::free(block); }

namespace kahu::sip {
namespace {

TEST(NoAllocation, FromTheStreamToTheAnswerAndTheForwardedCopy) {
    std::string text =
        "INVITE sip:bob@biloxi.com;transport=tls SIP/2.0\r\n"
        "Via: SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK1;rport, SIP/2.0/UDP b\r\n"
        "From: \"Alice\" <sip:alice@atlanta.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\n"
        "Call-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nRecord-Route: <sip:p;lr>\r\n";
    for (int i = 0; i < 200; ++i) text += "X-Many: " + std::to_string(i) + "\r\n";  // beyond the reserved index
    text += "Content-Length: 4\r\n\r\nbody";

    Message message;
    EditList edits;
    FrameState resume;
    std::string reply, forwarded;
    Bad bad;
    const auto once = [&] {
        const FrameResult framed = next_frame(text, resume, {});
        ASSERT_EQ(framed.kind, FrameKind::message);
        ASSERT_EQ(validate(message, message.parse(text, bad)).verdict, Verdict::accept);
        ASSERT_NE(message.second_via(), nullptr);
        reply.clear();
        build_reply(message, 180, "", {.to_tag = "t", .received = "192.0.2.1", .received_port = 9}, reply);
        edits.clear();
        edits.insert_before(message, *message.first(HeaderId::via), "Via: SIP/2.0/TLS me;branch=z9hG4bK2\r\n");
        edits.replace_part(message, message.first(HeaderId::max_forwards)->value, "69");
        edits.remove_header(message, *message.first("X-Many"));
        forwarded.clear();
        edits.apply(message.bytes(), forwarded);
    };
    once();
    const size_t before = allocations;
    ASSERT_GT(before, 0u) << "the counter counts";
    for (int i = 0; i < 10; ++i) once();
    EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace kahu::sip
