#include "core/sip/contact.h"

#include "core/base/text.h"
#include "core/sip/numbers.h"
#include "core/sip/params.h"
#include "core/sip/scan.h"

namespace kahu::sip {

namespace {

constexpr uint32_t kMalformedExpires = 3600;  // RFC 3261 20.10: what a malformed value stands for

// Null, or the rule that a value breaks.
const char* keep(const Param& p, Contact& out) {
    if (text::iequals(p.name, "expires")) {
        out.expires = parse_delta_seconds(p.value).value_or(kMalformedExpires);
    } else if (text::iequals(p.name, "q")) {
        out.q = parse_qvalue(p.value);
        if (!out.q) return "Contact: q";
    } else if (text::iequals(p.name, "+sip.instance")) {
        out.instance = p.value;
    } else if (text::iequals(p.name, "reg-id")) {
        out.reg_id = parse_uint32(p.value);
        if (!out.reg_id || *out.reg_id == 0) return "Contact: reg-id";
    }
    return nullptr;
}

}  // namespace

bool is_star_contact(std::string_view value) { return trim_lws(value) == "*"; }

bool ContactList::next(Contact& out) {
    out = {};
    if (failed_ || !list_.next(out.address)) return false;
    ParamScanner scan(out.address.params);
    for (Param p; scan.next(p);) {
        if (const char* rule = keep(p, out)) {
            bad_ = {rule, static_cast<size_t>(p.name.data() - value_.data())};
            failed_ = true;
            return false;
        }
    }
    return true;
}

}  // namespace kahu::sip
