// core/script/text_transformations.cpp -- the class s.*
#include <ctime>
#include <optional>

#include "core/base/text.h"
#include "core/script/run.h"
#include "core/script/text_codecs.h"
#include "core/script/transformation.h"

namespace kahu::script {
namespace {

using Use = TransformationUse;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Value maybe(std::optional<std::string_view> text) { return text ? Value::of(*text) : Value::none(); }

// Most transformations: text in, text out; null stays null.
template <std::string_view (*change)(std::string_view, Arena&)>
Value text_to_text(Run& run, const Use&, const Value& value) {
    return value.is_null() ? value : Value::of(change(to_text(value, run.arena()), run.arena()));
}
template <std::optional<std::string_view> (*change)(std::string_view, Arena&)>
Value text_to_maybe(Run& run, const Use&, const Value& value) {
    return value.is_null() ? value : maybe(change(to_text(value, run.arena()), run.arena()));
}
template <Value (*change)(Run&, const Use&, std::string_view)>
Value with_text(Run& run, const Use& use, const Value& value) {
    return value.is_null() ? value : change(run, use, to_text(value, run.arena()));
}

// A one-character argument: "x", or \s (any white space), \w (blank), \n \r \t \\.
struct Separator {
    char c;
    bool any_blank;
    bool matches(char other) const { return any_blank ? is_blank(other) : other == c; }
};
Separator separator(std::string_view text) {
    if (text.size() < 2 || text[0] != '\\') return {text.empty() ? '\0' : text[0], false};
    switch (text[1]) {
    case 's': return {' ', true};
    case 'w': return {' ', false};
    case 'n': return {'\n', false};
    case 'r': return {'\r', false};
    case 't': return {'\t', false};
    default: return {text[1], false};
    }
}

Value length(Run&, const Use&, std::string_view text) { return Value::of(static_cast<int64_t>(text.size())); }

Value integer(Run&, const Use&, const Value& value) {
    if (value.is_integer()) return Value::of(value.number);
    int64_t number = 0;
    return value.is_text() && spells_integer(text::trim(value.text), number) ? Value::of(number) : Value::none();
}

Value substr(Run& run, const Use& use, std::string_view text) {
    const auto size = static_cast<int64_t>(text.size());
    const int64_t offset = use.number(run, 0, 0), wanted = use.number(run, 1, 0);
    const int64_t from = offset < 0 ? size + offset : offset;
    if (wanted < 0 || from < 0 || from >= size) return Value::none();
    return Value::of(text.substr(static_cast<size_t>(from), wanted == 0 ? text.npos : static_cast<size_t>(wanted)));
}

// The n-th field; negative counts from the end.  "" when there are not so many.
Value select_field(std::string_view text, int64_t nth, Separator wanted) {
    const bool from_end = nth < 0;
    if (from_end) nth = -nth - 1;
    size_t from = 0, to = text.size();
    while (true) {
        size_t cut = text.npos;
        if (from_end) {
            for (size_t i = to; i > 0 && cut == text.npos; --i)
                if (wanted.matches(text[i - 1])) cut = i - 1;
            if (nth-- == 0)
                return Value::of(text.substr(cut == text.npos ? 0 : cut + 1, to - (cut == text.npos ? 0 : cut + 1)));
            to = cut;
        } else {
            for (size_t i = from; i < text.size() && cut == text.npos; ++i)
                if (wanted.matches(text[i])) cut = i;
            if (nth-- == 0) return Value::of(text.substr(from, (cut == text.npos ? text.size() : cut) - from));
            from = cut + 1;
        }
        if (cut == text.npos) return Value::of("");
    }
}
Value select(Run& run, const Use& use, std::string_view text) {
    return select_field(text, use.number(run, 0, 0), separator(use.text(run, 1)));
}
Value select_blank(Run& run, const Use& use, std::string_view text) {
    return select_field(text, use.number(run, 0, 0), {' ', true});
}

std::string_view lower_text(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text) out.append(text::lower(c));
    return out.take();
}
std::string_view upper_text(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text) out.append(c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
    return out.take();
}
std::string_view trim_both(std::string_view text, Arena&) { return text::trim(text); }
std::string_view trim_left(std::string_view text, Arena&) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    return text;
}
std::string_view trim_right(std::string_view text, Arena&) {
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

size_t clamp(int64_t n, size_t most) { return n <= 0 ? 0 : std::min(static_cast<size_t>(n), most); }
Value strip(Run& run, const Use& use, std::string_view text) {
    return Value::of(text.substr(clamp(use.number(run, 0, 0), text.size())));
}
Value strip_tail(Run& run, const Use& use, std::string_view text) {
    return Value::of(text.substr(0, text.size() - clamp(use.number(run, 0, 0), text.size())));
}
Value strip_to(Run& run, const Use& use, std::string_view text) {
    const std::string_view wanted = use.text(run, 0);
    const size_t at = wanted.empty() ? text.npos : text.find(wanted.front());
    return Value::of(at == text.npos ? std::string_view() : text.substr(at));
}

Value prefixes(Run& run, const Use& use, std::string_view text, std::string_view quote) {
    const int64_t most = use.number(run, 0, 0);
    const size_t count = most > 0 ? clamp(most, text.size()) : text.size();
    TextBuilder out(run.arena());
    for (size_t i = 1; i <= count; ++i) {
        if (i > 1) out.append(',');
        out.append(quote).append(text.substr(0, i)).append(quote);
    }
    return Value::of(out.take());
}
Value prefixes_plain(Run& run, const Use& use, std::string_view text) { return prefixes(run, use, text, ""); }
Value prefixes_quoted(Run& run, const Use& use, std::string_view text) { return prefixes(run, use, text, "'"); }

Value replace(Run& run, const Use& use, std::string_view text) {
    const std::string_view wanted = use.text(run, 0), with = use.text(run, 1);
    if (wanted.empty()) return Value::of(text);
    TextBuilder out(run.arena());
    while (true) {
        const size_t at = text.find(wanted);
        out.append(text.substr(0, at));
        if (at == text.npos) return Value::of(out.take());
        out.append(with);
        text.remove_prefix(at + wanted.size());
    }
}
Value remove_text(Run& run, const Use& use, std::string_view text) {
    const std::string_view wanted = use.text(run, 0);
    TextBuilder out(run.arena());
    while (!wanted.empty()) {
        const size_t at = text.find(wanted);
        out.append(text.substr(0, at));
        if (at == text.npos) return Value::of(out.take());
        text.remove_prefix(at + wanted.size());
    }
    return Value::of(text);
}

Value format_time(Run& run, const Use& use, const Value& value) {
    if (value.is_null()) return value;
    int64_t seconds = value.number;
    if (value.is_text() && !spells_integer(value.text, seconds)) return Value::none();
    const time_t at = seconds;
    const std::string_view wanted = use.text(run, 0);
    char format[128], out[256];
    if (wanted.size() >= sizeof format) return Value::none();
    format[wanted.copy(format, sizeof format - 1)] = '\0';
    tm parts{};
    if (::localtime_r(&at, &parts) == nullptr) return Value::none();
    return Value::of(run.arena().copy({out, std::strftime(out, sizeof out, format, &parts)}));
}

std::string_view remove_blanks(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text)
        if (!is_blank(c)) out.append(c);
    return out.take();
}
// Line ends with the white space behind them: folded headers in one line.
std::string_view join_lines(std::string_view text, std::string_view joint, Arena& arena) {
    TextBuilder out(arena);
    for (size_t i = 0; i < text.size();) {
        if (text[i] != '\r' && text[i] != '\n') {
            out.append(text[i++]);
            continue;
        }
        while (i < text.size() && (text[i] == '\r' || text[i] == '\n')) ++i;
        if (i < text.size() && (text[i] == ' ' || text[i] == '\t')) out.append(joint);
        while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
    }
    return out.take();
}
std::string_view unfold_to_blank(std::string_view text, Arena& arena) { return join_lines(text, " ", arena); }
std::string_view unfold_to_nothing(std::string_view text, Arena& arena) { return join_lines(text, "", arena); }

Value before(Run& run, const Use& use, std::string_view text) {
    const Separator at = separator(use.text(run, 0));
    for (size_t i = 0; i < text.size(); ++i)
        if (at.matches(text[i])) return Value::of(text.substr(0, i));
    return Value::of(text);
}
Value after(Run& run, const Use& use, std::string_view text) {
    const Separator at = separator(use.text(run, 0));
    for (size_t i = 0; i < text.size(); ++i)
        if (at.matches(text[i])) return Value::of(text.substr(i + 1));
    return Value::of("");
}
Value before_last(Run& run, const Use& use, std::string_view text) {
    const Separator at = separator(use.text(run, 0));
    for (size_t i = text.size(); i-- > 0;)
        if (at.matches(text[i])) return Value::of(text.substr(0, i));
    return Value::of(text);
}
Value after_last(Run& run, const Use& use, std::string_view text) {
    const Separator at = separator(use.text(run, 0));
    for (size_t i = text.size(); i-- > 0;)
        if (at.matches(text[i])) return Value::of(text.substr(i + 1));
    return Value::of("");
}
Value count_char(Run& run, const Use& use, std::string_view text) {
    const Separator wanted = separator(use.text(run, 0));
    int64_t found = 0;
    for (const char c : text) found += wanted.matches(c);
    return Value::of(found);
}

std::string_view digits_only(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text)
        if (c >= '0' && c <= '9') out.append(c);
    return out.take();
}

// Lines of `width` characters, joined by CRLF and `indent`; at most `lines` of them when that is given.
Value format_lines(Run& run, const Use& use, std::string_view text, std::string_view indent) {
    const int64_t width = use.number(run, 0, 0), lines = use.number(run, 1, 0);
    if (width <= 0) return Value::none();
    TextBuilder out(run.arena());
    for (int64_t line = 0; !text.empty() && (lines <= 0 || line < lines); ++line) {
        if (line > 0) out.append("\r\n").append(indent);
        out.append(text.substr(0, static_cast<size_t>(width)));
        text.remove_prefix(std::min(text.size(), static_cast<size_t>(width)));
    }
    return Value::of(out.take());
}
Value lines_plain(Run& run, const Use& use, std::string_view text) { return format_lines(run, use, text, ""); }
Value lines_tab(Run& run, const Use& use, std::string_view text) { return format_lines(run, use, text, "\t"); }

std::string_view enclosed(std::string_view text, char open, char close) {
    return text.size() >= 2 && text.front() == open && text.back() == close ? text.substr(1, text.size() - 2) : text;
}
std::string_view unquote(std::string_view text, Arena&) {
    const std::string_view inside = enclosed(text, '"', '"');
    return inside.size() != text.size() ? inside : enclosed(text, '\'', '\'');
}
std::string_view unbracket(std::string_view text, Arena&) {
    for (const std::string_view pair : {"()", "[]", "{}", "<>"}) {
        const std::string_view inside = enclosed(text, pair[0], pair[1]);
        if (inside.size() != text.size()) return inside;
    }
    return text;
}

std::string_view md5(std::string_view t, Arena& a) { return digest(t, "MD5", a); }
std::string_view sha1(std::string_view t, Arena& a) { return digest(t, "SHA1", a); }
std::string_view sha256(std::string_view t, Arena& a) { return digest(t, "SHA2-256", a); }
std::string_view sha384(std::string_view t, Arena& a) { return digest(t, "SHA2-384", a); }
std::string_view sha512(std::string_view t, Arena& a) { return digest(t, "SHA2-512", a); }
std::string_view base64(std::string_view t, Arena& a) { return encode_base64(t, Base64::standard, true, a); }
std::string_view base64_bare(std::string_view t, Arena& a) { return encode_base64(t, Base64::standard, false, a); }
std::string_view base64_url(std::string_view t, Arena& a) { return encode_base64(t, Base64::url, true, a); }
std::string_view base64_url_bare(std::string_view t, Arena& a) { return encode_base64(t, Base64::url, false, a); }
std::optional<std::string_view> from_base64(std::string_view t, Arena& a) {
    return decode_base64(t, Base64::standard, a);
}
std::optional<std::string_view> from_base64_url(std::string_view t, Arena& a) {
    return decode_base64(t, Base64::url, a);
}
std::optional<std::string_view> from_percent(std::string_view t, Arena& a) { return unescape_percent(t, false, a); }
std::optional<std::string_view> from_form(std::string_view t, Arena& a) { return unescape_percent(t, true, a); }

// Text, as Kamailio has it: a further "+" appends to it.
Value hash_of(Run& run, const Use& use, std::string_view text) {
    const int64_t size = use.number(run, 0, 0);
    const int64_t hash = core_hash(text);
    return Value::digits(run.arena().decimal(size > 0 ? hash & (size - 1) : hash));
}

// clang-format off
constexpr Transformation kTable[] = {
    {"s.len", 0, 0, "", "Number of bytes.", with_text<length>},
    {"s.int", 0, 0, "", "The integer it spells; null if it spells none.", integer},
    {"s.intv", 0, 0, "", "The same as s.int.", integer},
    {"s.md5", 0, 0, "", "MD5 in hexadecimal.", text_to_text<md5>},
    {"s.sha1", 0, 0, "", "SHA-1 in hexadecimal.", text_to_text<sha1>},
    {"s.sha256", 0, 0, "", "SHA-256 in hexadecimal.", text_to_text<sha256>},
    {"s.sha384", 0, 0, "", "SHA-384 in hexadecimal.", text_to_text<sha384>},
    {"s.sha512", 0, 0, "", "SHA-512 in hexadecimal.", text_to_text<sha512>},
    {"s.substr", 2, 2, ",offset,length", "Part of it; a negative offset counts from the end, length 0 means the rest.", with_text<substr>},
    {"s.select", 2, 2, ",index,separator", "One field; a negative index counts from the end.", with_text<select>},
    {"s.selectws", 1, 1, ",index", "One field between white space.", with_text<select_blank>},
    {"s.tolower", 0, 0, "", "In lower case.", text_to_text<lower_text>},
    {"s.toupper", 0, 0, "", "In upper case.", text_to_text<upper_text>},
    {"s.strip", 1, 1, ",count", "Without its first characters.", with_text<strip>},
    {"s.striptail", 1, 1, ",count", "Without its last characters.", with_text<strip_tail>},
    {"s.stripto", 1, 1, ",character", "From that character on; empty without it.", with_text<strip_to>},
    {"s.prefixes", 0, 1, ",most", "Its prefixes, separated by commas: 1,12,123.", with_text<prefixes_plain>},
    {"s.prefixes.quot", 0, 1, ",most", "Its prefixes in single quotes, separated by commas.", with_text<prefixes_quoted>},
    {"s.replace", 2, 2, ",match,replacement", "With every match replaced.", with_text<replace>},
    {"s.rm", 1, 1, ",match", "Without every match.", with_text<remove_text>},
    {"s.ftime", 1, 1, ",format", "Seconds since 1970 as local time, in strftime() notation.", format_time},
    {"s.trim", 0, 0, "", "Without white space at its ends.", text_to_text<trim_both>},
    {"s.ltrim", 0, 0, "", "Without white space at its beginning.", text_to_text<trim_left>},
    {"s.rtrim", 0, 0, "", "Without white space at its end.", text_to_text<trim_right>},
    {"s.rmws", 0, 0, "", "Without any white space.", text_to_text<remove_blanks>},
    {"s.rmhdws", 0, 0, "", "Folded lines joined by one blank.", text_to_text<unfold_to_blank>},
    {"s.rmhlws", 0, 0, "", "Folded lines joined by nothing.", text_to_text<unfold_to_nothing>},
    {"s.before", 1, 1, ",character", "What stands before the first such character; all of it without one.", with_text<before>},
    {"s.after", 1, 1, ",character", "What stands after the first such character; empty without one.", with_text<after>},
    {"s.rbefore", 1, 1, ",character", "What stands before the last such character.", with_text<before_last>},
    {"s.rafter", 1, 1, ",character", "What stands after the last such character.", with_text<after_last>},
    {"s.count", 1, 1, ",character", "How often the character occurs.", with_text<count_char>},
    {"s.numeric", 0, 0, "", "Its digits only.", text_to_text<digits_only>},
    {"s.fmtlines", 2, 2, ",width,lines", "In lines of that width; 0 lines means no limit.", with_text<lines_plain>},
    {"s.fmtlinet", 2, 2, ",width,lines", "The same, further lines begin with a tab.", with_text<lines_tab>},
    {"s.unquote", 0, 0, "", "Without the quotes around it.", text_to_text<unquote>},
    {"s.unbracket", 0, 0, "", "Without the brackets () [] {} <> around it.", text_to_text<unbracket>},
    {"s.corehash", 0, 1, ",size", "A hash of the text, as Kamailio's; below the size, a power of two, if one is given.", with_text<hash_of>},
    {"s.encode.hexa", 0, 0, "", "In hexadecimal.", text_to_text<encode_hex>},
    {"s.decode.hexa", 0, 0, "", "From hexadecimal.", text_to_maybe<decode_hex>},
    {"s.encode.7bit", 0, 0, "", "As a 7-bit SMS PDU.", text_to_text<encode_7bit>},
    {"s.decode.7bit", 0, 0, "", "From a 7-bit SMS PDU.", text_to_maybe<decode_7bit>},
    {"s.encode.base58", 0, 0, "", "In base58.", text_to_text<encode_base58>},
    {"s.decode.base58", 0, 0, "", "From base58.", text_to_maybe<decode_base58>},
    {"s.encode.base64", 0, 0, "", "In base64.", text_to_text<base64>},
    {"s.decode.base64", 0, 0, "", "From base64.", text_to_maybe<from_base64>},
    {"s.encode.base64t", 0, 0, "", "In base64 without padding.", text_to_text<base64_bare>},
    {"s.decode.base64t", 0, 0, "", "From base64 without padding.", text_to_maybe<from_base64>},
    {"s.encode.base64url", 0, 0, "", "In base64 with the URL alphabet.", text_to_text<base64_url>},
    {"s.decode.base64url", 0, 0, "", "From base64 with the URL alphabet.", text_to_maybe<from_base64_url>},
    {"s.encode.base64urlt", 0, 0, "", "In base64 with the URL alphabet, without padding.", text_to_text<base64_url_bare>},
    {"s.decode.base64urlt", 0, 0, "", "From base64 with the URL alphabet, without padding.", text_to_maybe<from_base64_url>},
    {"s.escape.common", 0, 0, "", "Quotes and backslashes escaped.", text_to_text<escape_quotes>},
    {"s.unescape.common", 0, 0, "", "The opposite of s.escape.common.", text_to_text<unescape_quotes>},
    {"s.escape.user", 0, 0, "", "Percent-escaped for the user part of a SIP URI.", text_to_text<escape_user>},
    {"s.unescape.user", 0, 0, "", "Percent escapes resolved.", text_to_maybe<from_percent>},
    {"s.escape.param", 0, 0, "", "Percent-escaped for a parameter of a SIP URI.", text_to_text<escape_param>},
    {"s.unescape.param", 0, 0, "", "Percent escapes resolved.", text_to_maybe<from_percent>},
    {"s.escape.csv", 0, 0, "", "Quoted for a CSV file.", text_to_text<escape_csv>},
    {"s.escape.crlf", 0, 0, "", "Line ends written as \\r and \\n.", text_to_text<escape_crlf>},
    {"s.unescape.crlf", 0, 0, "", "The opposite of s.escape.crlf.", text_to_text<unescape_crlf>},
    {"s.urlencode.param", 0, 0, "", "Encoded for a form of a web page.", text_to_text<escape_form>},
    {"s.urldecode.param", 0, 0, "", "Decoded from a form of a web page.", text_to_maybe<from_form>},
};
// clang-format on

}  // namespace

std::span<const Transformation> text_transformations() { return kTable; }

}  // namespace kahu::script
