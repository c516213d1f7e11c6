#include "core/sip/name_addr.h"

#include "core/base/text.h"
#include "core/sip/params.h"
#include "core/sip/scan.h"

namespace kahu::sip {

namespace {

// display-name without quotes is *(token LWS).  Phones also send UTF-8 and a few other characters: they are let
// through where they cannot be taken for a comma list or the start of a URI.
bool in_display_name(char c) {
    return is_in(c, kToken | kLws) || is_utf8_byte(c) || c == '(' || c == ')' || c == '@' || c == '/' || c == '&' ||
           c == '#' || c == '$';
}

bool starts_with_scheme(std::string_view uri) {
    if (uri.empty() || !is_alpha(uri[0])) return false;
    size_t i = 1;
    while (i < uri.size() && is_in(uri[i], kScheme)) ++i;
    return i + 1 < uri.size() && uri[i] == ':';
}

// Reads up to and including "<uri>".  Null, or the broken rule; the cursor is then where it broke.
const char* read_bracketed(Cursor& in, NameAddr& out) {
    if (!in.eat('<')) return "name-addr: <";
    out.bracketed = true;
    const size_t start = in.at();
    while (!in.done() && is_in(in.peek(), kUriAny)) in.skip(1);
    out.uri = in.from(start);
    if (!in.eat('>')) return "name-addr: URI or >";  // white space inside the brackets too: RFC 4475 3.1.2.14
    return nullptr;
}

const char* read_address(Cursor& in, NameAddr& out) {
    const size_t start = in.at();
    if (in.next_is('"')) {
        out.display = in.take_quoted();
        if (out.display.empty()) return "name-addr: quoted string";
        in.skip_lws();
        return read_bracketed(in, out);
    }
    while (!in.done() && in_display_name(in.peek())) in.skip(1);
    if (in.next_is('<')) {
        out.display = trim_lws(in.from(start));
        return read_bracketed(in, out);
    }
    in.rewind(start);
    // An addr-spec with one of , ; ? must stand in brackets (20.10); the first two end it here.
    while (!in.done() && is_in(in.peek(), kUriAny) && in.peek() != ';' && in.peek() != ',' && in.peek() != '?')
        in.skip(1);
    if (in.next_is('?')) return "addr-spec: headers outside < >";
    out.uri = in.from(start);
    return nullptr;
}

}  // namespace

bool parse_name_addr(std::string_view text, NameAddr& out, size_t& used, Bad& bad) {
    Cursor in(text);
    const auto fail = [&](const char* rule, size_t at) {
        bad = {rule, at};
        return false;
    };
    out = {};
    in.skip_lws();
    const size_t start = in.at();
    if (const char* rule = read_address(in, out)) return fail(rule, in.at());
    if (!starts_with_scheme(out.uri)) return fail("addr-spec: scheme", start);

    const size_t params_at = in.at();
    ParamScanner scan(in.rest());
    for (Param p; scan.next(p);)
        if (out.tag.empty() && text::iequals(p.name, "tag")) out.tag = p.value;
    if (scan.bad()) return fail("name-addr: parameter", params_at + scan.bad()->at);
    in.skip(scan.at());
    out.params = trim_lws(in.from(params_at));
    out.text = trim_lws(in.from(start));
    if (in.eat(',')) {
        in.skip_lws();
        if (in.done()) return fail("name-addr: empty element", in.at());
    }
    used = in.at();
    return true;
}

bool parse_single_name_addr(std::string_view text, NameAddr& out, Bad& bad) {
    size_t used = 0;
    if (!parse_name_addr(text, out, used, bad)) return false;
    if (used == text.size()) return true;
    bad = {"name-addr: more than one", used};
    return false;
}

}  // namespace kahu::sip
