#include "core/sip/params.h"

#include "core/base/text.h"
#include "core/sip/scan.h"

namespace kahu::sip {

bool ParamScanner::next(Param& out) {
    if (failed_) return false;
    Cursor in(text_);
    in.rewind(at_);
    in.skip_lws();
    at_ = in.at();
    if (in.done() || in.next_is(',')) return false;
    if (!in.eat(separator_)) return fail("parameter: separator", in.at());
    in.skip_lws();
    const size_t start = in.at();
    out = {};
    out.name = in.take_token();
    if (out.name.empty()) return fail("parameter: name", in.at());
    out.whole = out.name;
    if (in.eat_separator('=')) {
        out.has_value = true;
        out.value = in.next_is('"') ? in.take_quoted() : in.take(kValue);
        if (out.value.empty()) return fail("parameter: value", in.at());
        out.whole = in.from(start);
    }
    at_ = in.at();
    return true;
}

std::optional<Param> find_param(std::string_view params, std::string_view name) {
    ParamScanner scan(params);
    for (Param p; scan.next(p);)
        if (text::iequals(p.name, name)) return p;
    return std::nullopt;
}

size_t find_list_comma(std::string_view text) {
    bool in_brackets = false;
    for (size_t i = 0; i < text.size(); ++i) {
        switch (text[i]) {
        case '"':
            for (++i; i < text.size() && text[i] != '"'; ++i)
                if (text[i] == '\\') ++i;
            break;
        case '<': in_brackets = true; break;
        case '>': in_brackets = false; break;
        case ',':
            if (!in_brackets) return i;
            break;
        default: break;
        }
    }
    return std::string_view::npos;
}

bool ListSplitter::next(std::string_view& piece) {
    while (at_ < text_.size()) {
        const std::string_view rest = text_.substr(at_);
        const size_t comma = find_list_comma(rest);
        at_ = comma == rest.npos ? text_.size() : at_ + comma + 1;
        piece = trim_lws(rest.substr(0, comma));
        if (!piece.empty()) return true;
    }
    return false;
}

}  // namespace kahu::sip
