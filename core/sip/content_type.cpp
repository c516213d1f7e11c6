#include "core/sip/content_type.h"

#include "core/base/text.h"
#include "core/sip/params.h"
#include "core/sip/scan.h"

namespace kahu::sip {

bool ContentType::is(std::string_view want_type, std::string_view want_subtype) const {
    return text::iequals(type, want_type) && text::iequals(subtype, want_subtype);
}

bool parse_content_type(std::string_view text, ContentType& out, Bad& bad) {
    Cursor in(text);
    const auto fail = [&](const char* rule, size_t at) {
        bad = {rule, at};
        return false;
    };
    out = {};
    in.skip_lws();
    out.type = in.take_token();
    if (out.type.empty() || !in.eat_separator('/')) return fail("Content-Type: type", in.at());
    out.subtype = in.take_token();
    if (out.subtype.empty()) return fail("Content-Type: subtype", in.at());
    const size_t params_at = in.at();
    ParamScanner scan(in.rest());
    for (Param p; scan.next(p);)
        if (out.boundary.empty() && text::iequals(p.name, "boundary")) out.boundary = p.value;
    if (scan.bad()) return fail("Content-Type: parameter", params_at + scan.bad()->at);
    in.skip(scan.at());
    if (!in.done()) return fail("Content-Type: more than one", in.at());
    out.params = trim_lws(in.from(params_at));
    return true;
}

}  // namespace kahu::sip
