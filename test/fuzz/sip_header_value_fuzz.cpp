// A header value, read by every parser of list and parameter headers: Contact, Route, credentials, media types.
#include <string>

#include "core/sip/auth.h"
#include "core/sip/contact.h"
#include "core/sip/content_type.h"
#include "core/sip/cseq.h"
#include "core/sip/params.h"
#include "core/sip/quoting.h"
#include "test/fuzz/expect.h"

namespace kahu::sip {
namespace {

void read_contacts(std::string_view text) {
    ContactList list(text);
    for (Contact c; list.next(c);) {
        for (const std::string_view part :
             {c.address.text, c.address.display, c.address.uri, c.address.params, c.address.tag, c.instance})
            FUZZ_EXPECT(fuzz::within(part, text));
        FUZZ_EXPECT(!c.address.uri.empty() && c.q.value_or(0) <= 1000);
        static std::string out;
        (void)unquote(c.address.display, out);
        Uri uri;
        Bad bad;
        (void)parse_uri(c.address.uri, uri, bad);
    }
    FUZZ_EXPECT(list.bad() == nullptr || list.bad()->at <= text.size());
}

// The splitter and the list parser agree on how many elements a good list has.
void compare_splitters(std::string_view text) {
    NameAddrList list(text);
    size_t parsed = 0, split = 0;
    for (NameAddr a; list.next(a); ++parsed) continue;
    if (list.bad() != nullptr) return;
    ListSplitter pieces(text);
    for (std::string_view piece; pieces.next(piece); ++split) continue;
    FUZZ_EXPECT(parsed == split);
}

void read_others(std::string_view text) {
    Bad bad;
    AuthValue auth;
    if (!parse_auth(text, auth, bad)) FUZZ_EXPECT(bad.at <= text.size());
    ContentType type;
    if (!parse_content_type(text, type, bad)) FUZZ_EXPECT(bad.at <= text.size());
    CSeq cseq;
    if (!parse_cseq(text, cseq, bad)) FUZZ_EXPECT(bad.at <= text.size());
    static std::string out, again;
    FUZZ_EXPECT(unfold(text, out).size() <= text.size());
    again.clear();
    append_quoted("x", again);
    (void)unescape(text, out);
}

}  // namespace
}  // namespace kahu::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text = kahu::fuzz::text_of(data, size);
    kahu::sip::read_contacts(text);
    kahu::sip::read_others(text);
    if (!text.empty() && text.find_first_not_of(" \t\r\n") != text.npos) kahu::sip::compare_splitters(text);
    return 0;
}
