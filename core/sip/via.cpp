#include "core/sip/via.h"

#include "core/base/text.h"
#include "core/sip/numbers.h"
#include "core/sip/params.h"
#include "core/sip/scan.h"
#include "core/sip/uri.h"

namespace kahu::sip {

namespace {

// Stores the parameters we know.  Null, or the rule that a value breaks.
const char* keep(const Param& p, Via& out) {
    switch (p.name.size()) {
    case 3:
        if (text::iequals(p.name, "ttl")) out.ttl = p.value;
        break;
    case 5:
        if (text::iequals(p.name, "rport")) {
            out.has_rport = true;
            out.rport_text = p.whole;
            if (!p.has_value) break;
            const auto port = parse_port(p.value);
            if (!port) return "Via: rport";
            out.rport = *port;
        } else if (text::iequals(p.name, "maddr")) {
            out.maddr = p.value;
        } else if (text::iequals(p.name, "alias")) {
            out.alias = true;
        }
        break;
    case 6:
        if (text::iequals(p.name, "branch")) out.branch = p.value;
        break;
    case 8:
        if (text::iequals(p.name, "received")) out.received = p.value;
        break;
    default: break;
    }
    return nullptr;
}

}  // namespace

bool parse_via(std::string_view text, Via& out, size_t& used, Bad& bad) {
    Cursor in(text);
    const auto fail = [&](const char* rule, size_t at) {
        bad = {rule, at};
        return false;
    };
    out = {};
    in.skip_lws();
    const size_t start = in.at();
    out.protocol = in.take_token();
    if (out.protocol.empty() || !in.eat_separator('/')) return fail("Via: protocol-name", in.at());
    out.version = in.take_token();
    if (out.version.empty() || !in.eat_separator('/')) return fail("Via: protocol-version", in.at());
    out.transport = in.take_token();
    if (out.transport.empty() || !in.skip_lws()) return fail("Via: transport", in.at());

    Bad host_bad;
    const size_t read = parse_host_port(in.rest(), true, out.host, out.host_is_ipv6, out.port, host_bad);
    if (read == 0) return fail("Via: sent-by", in.at() + host_bad.at);
    in.skip(read);

    const size_t params_at = in.at();
    ParamScanner scan(in.rest());
    for (Param p; scan.next(p);)
        if (const char* rule = keep(p, out)) return fail(rule, params_at + scan.at());
    if (scan.bad()) return fail("Via: parameter", params_at + scan.bad()->at);
    in.skip(scan.at());
    out.params = trim_lws(in.from(params_at));
    out.text = trim_lws(in.from(start));
    if (in.eat(',')) {
        in.skip_lws();
        if (in.done()) return fail("Via: empty element", in.at());
    }
    used = in.at();
    return true;
}

}  // namespace kahu::sip
