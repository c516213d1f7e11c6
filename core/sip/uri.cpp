#include "core/sip/uri.h"

#include <arpa/inet.h>

#include "core/base/text.h"
#include "core/sip/numbers.h"
#include "core/sip/scan.h"

namespace kahu::sip {

namespace {

// Percent signs of `text` all begin an escape.
bool escapes_are_whole(std::string_view text) {
    for (size_t i = text.find('%'); i != text.npos; i = text.find('%', i + 1))
        if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    return true;
}

void keep(std::string_view name, std::string_view value, Uri& out) {
    switch (name.size()) {
    case 2:
        if (text::iequals(name, "lr")) out.lr = true;
        else if (text::iequals(name, "ob")) out.ob = true;
        else if (text::iequals(name, "gr")) out.gr = value;
        break;
    case 3:
        if (text::iequals(name, "ttl")) out.ttl = value;
        break;
    case 4:
        if (text::iequals(name, "user")) out.user_param = value;
        break;
    case 5:
        if (text::iequals(name, "maddr")) out.maddr = value;
        break;
    case 6:
        if (text::iequals(name, "method")) out.method = value;
        break;
    case 9:
        if (text::iequals(name, "transport")) out.transport = value;
        break;
    default: break;
    }
}

// One ";name" or ";name=value" of a URI: no white space, no quotes.  False at the end or at what is none of that.
bool next_uri_param(Cursor& in, std::string_view& name, std::string_view& value) {
    if (!in.eat(';')) return false;
    name = in.take(kParam);
    value = {};
    if (in.eat('=')) value = in.take(kParam);
    return !name.empty();
}

bool parse_params(Cursor& in, Uri& out) {
    const size_t start = in.at();
    std::string_view name, value;
    while (next_uri_param(in, name, value)) keep(name, value, out);
    out.params = in.from(start);
    return (in.done() || in.next_is('?')) && escapes_are_whole(out.params) &&
           (out.params.empty() || out.params.back() != ';');
}

// "#" should be escaped, but phones dial feature codes (*21#) as they are.
bool is_user(std::string_view text) {
    for (const char c : text)
        if (!is_in(c, kUser) && c != '#') return false;
    return !text.empty();
}

bool parse_userinfo(std::string_view userinfo, Uri& out) {
    const size_t colon = userinfo.find(':');
    out.user = userinfo.substr(0, colon);
    out.has_user = true;
    if (colon != userinfo.npos) {
        out.has_password = true;
        out.password = userinfo.substr(colon + 1);
        // password has fewer characters than user (no ; ? /), but RFC 4475 3.1.1.2 only shows the ones it has
        if (!all_in(out.password, kUser)) return false;
    }
    return is_user(out.user) && escapes_are_whole(userinfo);
}

bool parse_sip(Cursor& in, Uri& out, Bad& bad) {
    const auto fail = [&](const char* rule, size_t at) {
        bad = {rule, at};
        return false;
    };
    // Behind the userinfo no unescaped @ can occur, so the first one ends it, whatever stands before it.
    const size_t at_sign = in.rest().find('@');
    if (at_sign != std::string_view::npos) {
        const size_t start = in.at();
        if (!parse_userinfo(in.rest().substr(0, at_sign), out)) return fail("URI: userinfo", start);
        in.skip(at_sign + 1);
    }
    Bad host_bad;
    const size_t read = parse_host_port(in.rest(), false, out.host, out.host_is_ipv6, out.port, host_bad);
    if (read == 0) return fail(host_bad.rule, in.at() + host_bad.at);
    in.skip(read);
    if (!parse_params(in, out)) return fail("URI: parameter", in.at());
    if (in.eat('?')) {
        out.headers = in.rest();
        // hname "=" hvalue, joined by "&"; paramchar and "?" "=" cover their characters
        for (const char c : out.headers)
            if (!is_in(c, kParam) && c != '=' && c != '?') return fail("URI: headers", in.at());
        if (out.headers.empty() || !escapes_are_whole(out.headers)) return fail("URI: headers", in.at());
        in.skip(out.headers.size());
    }
    return in.done() || fail("URI: end", in.at());
}

bool parse_tel(Cursor& in, Uri& out, Bad& bad) {
    const size_t start = in.at();
    in.eat('+');
    // phonedigit and, for local numbers, hex digits * # (RFC 3966 3)
    while (!in.done() && (is_hex(in.peek()) || std::strchr("-.()*#", in.peek()) != nullptr) && in.peek() != '\0')
        in.skip(1);
    out.user = in.from(start);
    out.has_user = true;
    if (out.user.empty() || out.user == "+") {
        bad = {"tel: number", in.at()};
        return false;
    }
    if (!parse_params(in, out) || !in.done()) {
        bad = {"tel: parameter", in.at()};
        return false;
    }
    return true;
}

}  // namespace

bool is_ipv6_text(std::string_view text) {
    constexpr size_t kLongest = 45;  // with an IPv4 tail
    if (text.empty() || text.size() > kLongest || text.find('\0') != text.npos) return false;
    char copy[kLongest + 1];
    copy[text.copy(copy, text.size())] = '\0';
    unsigned char address[16];
    return inet_pton(AF_INET6, copy, address) == 1;
}

std::string_view Uri::userinfo() const {
    if (!has_user || !has_password) return user;
    return {user.data(), user.size() + 1 + password.size()};
}

size_t parse_host_port(std::string_view text, bool lws_allowed, std::string_view& host, bool& ipv6, uint16_t& port,
                       Bad& bad) {
    Cursor in(text);
    const auto fail = [&](const char* rule) {
        bad = {rule, in.at()};
        return size_t{0};
    };
    port = 0;
    ipv6 = in.next_is('[');
    if (ipv6) {
        const size_t end = text.find(']');
        if (end == text.npos || !is_ipv6_text(text.substr(1, end - 1))) return fail("host: IPv6 reference");
        in.skip(end + 1);
    } else if (in.take(kHost).empty()) {
        return fail("host");
    }
    host = in.from(0);
    if (lws_allowed ? in.eat_separator(':') : in.eat(':')) {
        const std::string_view digits = in.take(kDigit);
        const auto number = parse_port(digits);
        if (!number) return fail("port");
        port = *number;
    }
    return in.at();
}

bool parse_uri(std::string_view text, Uri& out, Bad& bad) {
    Cursor in(text);
    out = {};
    out.text = text;
    out.scheme_name = in.take(kScheme);
    if (out.scheme_name.empty() || !is_alpha(out.scheme_name[0]) || !in.eat(':')) {
        bad = {"URI: scheme", in.at()};
        return false;
    }
    if (text::iequals(out.scheme_name, "sip")) out.scheme = Scheme::sip;
    else if (text::iequals(out.scheme_name, "sips")) out.scheme = Scheme::sips;
    else if (text::iequals(out.scheme_name, "tel")) out.scheme = Scheme::tel;
    if (out.is_sip()) return parse_sip(in, out, bad);
    if (out.scheme == Scheme::tel) return parse_tel(in, out, bad);
    out.opaque = in.rest();
    if (!out.opaque.empty() && in.take(kUriAny).size() == out.opaque.size()) return true;
    bad = {"URI: character", in.at()};
    return false;
}

}  // namespace kahu::sip
