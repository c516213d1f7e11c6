// A datagram: parse, every part, validate, the reply, an edited copy.
#include <string>

#include "core/sip/builder.h"
#include "core/sip/edit.h"
#include "core/sip/quoting.h"
#include "core/sip/validate.h"
#include "test/fuzz/expect.h"

namespace kahu::sip {
namespace {

void check_views(const Message& m, std::string_view text) {
    FUZZ_EXPECT(fuzz::within(m.bytes(), text) && fuzz::within(m.body(), text));
    for (const HeaderField& field : m.headers()) {
        FUZZ_EXPECT(fuzz::within(field.whole, m.bytes()));
        FUZZ_EXPECT(fuzz::within(field.name, field.whole) && fuzz::within(field.value, field.whole));
        FUZZ_EXPECT(m.first(field.name) != nullptr && m.first(field.name)->id == field.id);
        static std::string out;
        FUZZ_EXPECT(unfold(field.value, out).find('\n') == std::string_view::npos);
    }
}

// Start line, headers, empty line and body are the message: nothing is skipped, nothing counted twice.
void check_tiling(const Message& m) {
    std::string whole(m.start_line());
    for (const HeaderField& field : m.headers()) whole += field.whole;
    const std::string_view rest = m.bytes().substr(whole.size());
    FUZZ_EXPECT(m.bytes().substr(0, whole.size()) == whole);
    FUZZ_EXPECT(rest.substr(0, rest[0] == '\r' ? 2 : 1).ends_with('\n'));
    FUZZ_EXPECT(rest.substr(rest[0] == '\r' ? 2 : 1) == m.body());
}

void check_reply(const Message& m, bool fit) {
    static std::string out;
    static Message reply;
    Bad bad;
    out.clear();
    build_reply(m, 200, "", {.to_tag = "t", .received = "192.0.2.1", .received_port = 5060}, out);
    if (!fit) return;
    FUZZ_EXPECT(reply.parse(out, bad));
    FUZZ_EXPECT(reply.top_via() != nullptr && reply.call_id() == m.call_id());
    FUZZ_EXPECT(reply.cseq() != nullptr && reply.cseq()->number == m.cseq()->number);
    FUZZ_EXPECT(reply.to() != nullptr && !reply.to()->tag.empty());
}

void check_edits(const Message& m) {
    static EditList edits;
    static std::string out;
    static Message edited;
    Bad bad;
    edits.clear();
    for (const HeaderField& field : m.headers())
        if (field.id == HeaderId::via) edits.remove_header(m, field);
    edits.prepend_header(m, "Via: SIP/2.0/UDP 192.0.2.1\r\n");
    edits.replace_body(m, "new body");
    out.clear();
    edits.apply(m.bytes(), out);
    FUZZ_EXPECT(edited.parse(out, bad));
    FUZZ_EXPECT(edited.body() == "new body" && edited.top_via() != nullptr && edited.second_via() == nullptr);
}

}  // namespace
}  // namespace kahu::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace kahu::sip;
    static Message message;
    const std::string_view text = kahu::fuzz::text_of(data, size);
    Bad bad;
    const bool parsed = message.parse(text, bad);
    FUZZ_EXPECT(parsed == !message.reject());
    FUZZ_EXPECT(parsed || bad.at <= size);
    check_views(message, text);
    const Validation verdict = validate(message, parsed);
    FUZZ_EXPECT(message.last_bad().at <= size);
    FUZZ_EXPECT((verdict.verdict == Verdict::accept) == (verdict.status == 0));
    (void)message.second_via();
    (void)message.expires();
    if (message.can_be_answered()) check_reply(message, verdict.verdict == Verdict::accept);
    if (parsed) {
        check_tiling(message);
        check_edits(message);
    }
    return 0;
}
