#include "core/sip/cseq.h"

#include "core/sip/numbers.h"
#include "core/sip/scan.h"

namespace kahu::sip {

bool parse_cseq(std::string_view text, CSeq& out, Bad& bad) {
    Cursor in(text);
    const auto fail = [&](const char* rule) {
        bad = {rule, in.at()};
        return false;
    };
    out = {};
    out.number_text = in.take(kDigit);
    const auto number = parse_uint32(out.number_text);
    if (!number) return fail("CSeq: number");  // none, or above 2**32-1
    out.number = *number;
    if (!in.skip_lws()) return fail("CSeq: LWS");
    out.method_name = in.take_token();
    if (out.method_name.empty() || !in.done()) return fail("CSeq: Method");
    out.method = method_id(out.method_name);
    return true;
}

}  // namespace kahu::sip
