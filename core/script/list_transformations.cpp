// core/script/list_transformations.cpp -- the classes param.*, line.*, val.*, num.* and urlencode.*.
#include <charconv>

#include "core/base/text.h"
#include "core/script/run.h"
#include "core/script/text_codecs.h"
#include "core/script/text_parts.h"
#include "core/script/transformation.h"

namespace kahu::script {
namespace {

using Use = TransformationUse;

template <Value (*change)(Run&, const Use&, std::string_view)>
Value with_text(Run& run, const Use& use, const Value& value) {
    return value.is_null() ? value : change(run, use, to_text(value, run.arena()));
}

// --- param.* -----------------------------------------------------------------------------------------------
char separator(Run& run, const Use& use, size_t i) {
    const std::string_view given = use.text(run, i);
    return given.empty() ? ';' : given.front();
}
Value param_value(Run& run, const Use& use, std::string_view text) {
    return Value::of(find_text_param(text, separator(run, use, 1), text::trim(use.text(run, 0))).value);
}
Value param_in(Run& run, const Use& use, std::string_view text) {
    const TextParam found = find_text_param(text, separator(run, use, 1), text::trim(use.text(run, 0)));
    return Value::of(int64_t{!found.name.empty()});
}
int64_t count_params(std::string_view text, char at) {
    int64_t count = 0;
    for (TextParam param; next_text_param(text, at, param);) ++count;
    return count;
}
// A negative index counts from the end.
TextParam param_at(Run& run, const Use& use, std::string_view text) {
    const char at = separator(run, use, 1);
    int64_t index = use.number(run, 0, 0);
    if (index < 0) index += count_params(text, at);
    for (TextParam param; index >= 0 && next_text_param(text, at, param); --index)
        if (index == 0) return param;
    return {};
}
Value param_name(Run& run, const Use& use, std::string_view text) { return Value::of(param_at(run, use, text).name); }
Value param_value_at(Run& run, const Use& use, std::string_view text) {
    return Value::of(param_at(run, use, text).value);
}
Value param_count(Run& run, const Use& use, std::string_view text) {
    return Value::of(count_params(text, separator(run, use, 0)));
}

// --- line.* ------------------------------------------------------------------------------------------------
int64_t count_lines(std::string_view text) {
    int64_t count = 0;
    for (std::string_view line; next_line(text, line);) ++count;
    return count;
}
// Text, as Kamailio has it: a further "+" appends to it.
Value line_count(Run& run, const Use&, std::string_view text) {
    return Value::digits(run.arena().decimal(count_lines(text)));
}
Value line_at(Run& run, const Use& use, std::string_view text) {
    int64_t index = use.number(run, 0, 0);
    if (index < 0) index += count_lines(text);
    for (std::string_view line; index >= 0 && next_line(text, line); --index)
        if (index == 0) return Value::of(line);
    return Value::of("");
}
Value line_that_starts_with(Run& run, const Use& use, std::string_view text) {
    const std::string_view wanted = use.text(run, 0);
    for (std::string_view line; next_line(text, line);)
        if (line.starts_with(wanted)) return Value::of(line);
    return Value::of("");
}

// --- val.*, num.* ------------------------------------------------------------------------------------------
Value null_is_zero(Run&, const Use&, const Value& value) { return value.is_null() ? Value::of(int64_t{0}) : value; }
Value null_is_empty(Run&, const Use&, const Value& value) { return value.is_null() ? Value::of("") : value; }

std::string_view escape_json(std::string_view text, Arena& arena) {
    constexpr std::string_view kHex = "0123456789abcdef";
    TextBuilder out(arena);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') out.append('\\').append(c);
        else if (c == '\n') out.append("\\n");
        else if (c == '\r') out.append("\\r");
        else if (c == '\t') out.append("\\t");
        else if (byte < 0x20 || byte == 0x7f) out.append("\\u00").append(kHex[byte >> 4]).append(kHex[byte & 15]);
        else out.append(c);
    }
    return out.take();
}
Value json_text(Run& run, const Use&, std::string_view text) { return Value::of(escape_json(text, run.arena())); }

// The first or last digits of a number.
template <bool from_end>
Value some_digits(Run& run, const Use& use, std::string_view text) {
    const int64_t wanted = use.number(run, 0, 0);
    const size_t count = wanted <= 0 ? 0 : std::min(static_cast<size_t>(wanted), text.size());
    return Value::of(from_end ? text.substr(text.size() - count) : text.substr(0, count));
}

Value url_encode(Run& run, const Use&, std::string_view text) { return Value::of(escape_form(text, run.arena())); }
Value url_decode(Run& run, const Use&, std::string_view text) {
    const auto decoded = unescape_percent(text, true, run.arena());
    return decoded ? Value::of(*decoded) : Value::none();
}

// clang-format off
constexpr Transformation kTable[] = {
    {"param.value", 1, 2, ",name[,separator]", "Value of the parameter of that name; the separator is ; unless given.", with_text<param_value>},
    {"param.in", 1, 2, ",name[,separator]", "1 if there is a parameter of that name, else 0.", with_text<param_in>},
    {"param.name", 1, 2, ",index[,separator]", "Name of the parameter at that place; a negative index counts from the end.", with_text<param_name>},
    {"param.valueat", 1, 2, ",index[,separator]", "Value of the parameter at that place.", with_text<param_value_at>},
    {"param.count", 0, 1, "[,separator]", "How many parameters there are.", with_text<param_count>},
    {"line.count", 0, 0, "", "How many lines there are.", with_text<line_count>},
    {"line.at", 1, 1, ",index", "The line at that place, without its end; a negative index counts from the end.", with_text<line_at>},
    {"line.sw", 1, 1, ",text", "The first line that starts with that text.", with_text<line_that_starts_with>},
    {"val.n0", 0, 0, "", "0 instead of null.", null_is_zero},
    {"val.ne", 0, 0, "", "An empty text instead of null.", null_is_empty},
    {"val.json", 0, 0, "", "Escaped for a text in JSON.", with_text<json_text>},
    {"val.jsonqe", 0, 0, "", "The same as val.json.", with_text<json_text>},
    {"num.fdig", 1, 1, ",count", "The first digits of a number.", with_text<some_digits<false>>},
    {"num.ldig", 1, 1, ",count", "The last digits of a number.", with_text<some_digits<true>>},
    {"urlencode.param", 0, 0, "", "Encoded for a form of a web page.", with_text<url_encode>},
    {"urldecode.param", 0, 0, "", "Decoded from a form of a web page.", with_text<url_decode>},
};
// clang-format on

}  // namespace

std::span<const Transformation> list_transformations() { return kTable; }

}  // namespace kahu::script
