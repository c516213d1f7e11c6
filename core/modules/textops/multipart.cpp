// Bodies of several parts (RFC 2046 5.1, RFC 5621).
#include <optional>

#include "core/base/text.h"
#include "core/modules/textops/body_edits.h"
#include "core/modules/textops/header_edits.h"
#include "core/script/function.h"
#include "core/script/text_codecs.h"
#include "core/script/text_parts.h"
#include "core/sip/content_type.h"
#include "core/sip/quoting.h"

namespace kahu::textops {
namespace {

using script::Args;
using script::Run;
using script::Value;
using sip::HeaderField;
using sip::HeaderId;

constexpr std::string_view kDefaultBoundary = "unique-boundary-1";
constexpr size_t kMostBoundary = 70;  // RFC 2046 5.1.1

bool is_one_line(std::string_view text) { return !text.empty() && text.find_first_of("\r\n") == text.npos; }
bool is_boundary(std::string_view text) {
    return !text.empty() && text.size() <= kMostBoundary && text.back() != ' ' &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=? ") ==
               text.npos;
}
std::string_view type_alone(std::string_view value) { return text::trim(value.substr(0, value.find(';'))); }

// "--boundary" of the message's body; "" if it has no parts.
std::string_view delimiter_of(Run& run) {
    const HeaderField* const field = run.message().first(HeaderId::content_type);
    sip::ContentType type;
    sip::Bad bad;
    if (field == nullptr || !sip::parse_content_type(field->value, type, bad) || !text::iequals(type.type, "multipart"))
        return {};
    std::string unquoted;
    const std::string_view boundary = sip::unquote(type.boundary, unquoted);
    if (boundary.empty() || boundary.size() > kMostBoundary) return {};
    return script::TextBuilder(run.arena()).append("--").append(boundary).take();
}

// Where the delimiter stands at the beginning of a line; npos: nowhere.
size_t find_delimiter(std::string_view body, std::string_view delimiter, size_t from) {
    size_t at = body.find(delimiter, from);
    while (at != body.npos && at != 0 && body[at - 1] != '\n') at = body.find(delimiter, at + 1);
    return at;
}
// Behind the line that begins there.
size_t line_end(std::string_view body, size_t at) {
    const size_t end = body.find('\n', at);
    return end == body.npos ? body.size() : end + 1;
}

struct Part {
    std::string_view whole;        // from its delimiter to the next one
    std::string_view raw;          // from behind its delimiter's line to the end of the next one's
    std::string_view inside;       // headers and content, with the line end before the next delimiter
    std::string_view behind_type;  // of that, what follows Content-Type
    std::string_view content;      // what follows the headers, without that line end
    std::string_view type;
};
// `at` moves on; false: there are no more.
bool next_part(std::string_view body, std::string_view delimiter, size_t& at, Part& out) {
    const size_t begin = find_delimiter(body, delimiter, at);
    if (begin == body.npos || body.substr(begin + delimiter.size(), 2) == "--") return false;
    const size_t inside = line_end(body, begin), end = find_delimiter(body, delimiter, inside);
    if (end == body.npos) return false;
    out = {body.substr(begin, end - begin), body.substr(inside, line_end(body, end) - inside),
           body.substr(inside, end - inside)};
    std::string_view rest = out.inside, line;
    while (script::next_line(rest, line) && !line.empty()) {
        if (!text::iequals(line.substr(0, 13), "Content-Type:")) continue;
        out.type = type_alone(line.substr(13));
        out.behind_type = rest;
    }
    out.content = rest;
    if (out.content.ends_with('\n')) out.content.remove_suffix(1);
    if (out.content.ends_with('\r')) out.content.remove_suffix(1);
    at = end;
    return true;
}
std::optional<Part> part_of_type(Run& run, std::string_view delimiter, std::string_view type) {
    Part part;
    for (size_t at = 0; !type.empty() && next_part(run.message().body(), delimiter, at, part);)
        if (text::iequals(part.type, type)) return part;
    return std::nullopt;
}
std::optional<Part> wanted_part(Run& run, const Args& args) {
    const std::string_view delimiter = delimiter_of(run);
    return delimiter.empty() ? std::nullopt : part_of_type(run, delimiter, type_alone(args.text(run, 0)));
}

int filter_body(Run& run, const Args& args) {
    const auto part = wanted_part(run, args);
    if (!part) return -1;
    replace_body(run, part->content);
    return 1;
}
int remove_part(Run& run, const Args& args) {
    const auto part = wanted_part(run, args);
    if (!part) return -1;
    run.edits.replace_part(run.message(), part->whole, {});
    return 1;
}
// A body that has no parts is all of it.
template <std::string_view Part::*piece>
int get_part(Run& run, const Args& args) {
    std::string_view found = run.message().body();
    if (!delimiter_of(run).empty()) {
        const auto part = wanted_part(run, args);
        if (!part) return -1;
        found = (*part).*piece;
    }
    return !found.empty() && args.assign(run, 1, Value::of(found)) ? 1 : -1;
}

// set_body_multipart([boundary]): the body becomes the only part; (content, type[, boundary]): that does.
int set_multipart(Run& run, const Args& args) {
    if (!delimiter_of(run).empty()) return 1;
    const HeaderField* const known = run.message().first(HeaderId::content_type);
    const bool given = args.size() >= 2 && !args.text(run, 0).empty();
    const std::string_view content = given ? args.text(run, 0) : run.message().body();
    const std::string_view type = given ? args.text(run, 1) : known == nullptr ? std::string_view() : known->value;
    const size_t at = args.size() >= 2 ? 2 : 0;
    const std::string_view boundary = args.size() > at ? args.text(run, at) : kDefaultBoundary;
    if (content.empty() || !is_one_line(type) || !is_boundary(boundary)) return -1;
    script::TextBuilder body(run.arena());
    body.append("--").append(boundary).append("\r\nContent-Type: ").append(type).append("\r\n\r\n").append(content);
    replace_body(run, body.append("\r\n--").append(boundary).append("--\r\n").take());
    set_content_type(
        run,
        script::TextBuilder(run.arena()).append("multipart/mixed;boundary=\"").append(boundary).append('"').take());
    if (run.message().first("Mime-Version") == nullptr && !run.edits.inserts("mime-version:"))
        run.edits.append_header(run.message(), "Mime-Version: 1.0\r\n");
    return 1;
}

// Before the delimiter that closes the body.
int append(Run& run, std::string_view content, std::string_view type, std::string_view disposition) {
    const std::string_view delimiter = delimiter_of(run), body = run.message().body();
    if (delimiter.empty() || content.empty() || !is_one_line(type)) return -1;
    if (!disposition.empty() && !is_one_line(disposition)) return -1;
    size_t at = find_delimiter(body, delimiter, 0);
    while (at != body.npos && body.substr(at + delimiter.size(), 2) != "--")
        at = find_delimiter(body, delimiter, at + 1);
    if (at == body.npos) return -1;
    script::TextBuilder part(run.arena());
    part.append(delimiter).append("\r\nContent-Type: ").append(type).append("\r\n");
    if (!disposition.empty()) part.append("Content-Disposition: ").append(disposition).append("\r\n");
    run.edits.insert(run.message().offset_of(body) + at, part.append("\r\n").append(content).append("\r\n").take());
    return 1;
}
int append_part(Run& run, const Args& args) {
    return append(run, args.text(run, 0), args.text(run, 1), args.text(run, 2));
}
int append_part_hex(Run& run, const Args& args) {
    const auto content = script::decode_hex(args.text(run, 0), run.arena());
    return content ? append(run, *content, args.text(run, 1), args.text(run, 2)) : -1;
}

Status prepare_variable(Args& args) { return args.require_assignable(1); }

constexpr std::string_view kType = "(string type)", kTypeInto = "(string type, variable)",
                           kPart = "(string content, string type[, string disposition])";

constexpr Function kFunctions[] = {
    {"filter_body", 1, 1, kType,
     "Of a multipart body, leaves what the first part of that content type holds; Content-Type is left as it is.",
     kAnyRoute, filter_body},
    {"set_body_multipart", 0, 3, "([string boundary] | string content, string type[, string boundary])",
     "Makes the body the first part of a multipart body, or begins one with that content.", kAnyRoute, set_multipart},
    {"append_body_part", 2, 3, kPart, "Adds a part to a multipart body.", kAnyRoute, append_part},
    {"append_body_part_hex", 2, 3, kPart, "The same; the content is written in hexadecimal digits.", kAnyRoute,
     append_part_hex},
    {"remove_body_part", 1, 1, kType, "Removes the first part of that content type.", kAnyRoute, remove_part},
    {"get_body_part", 2, 2, kTypeInto,
     "Gives the variable what follows Content-Type in the first part of that type; all of a body without parts.",
     kAnyRoute, get_part<&Part::behind_type>, prepare_variable},
    {"get_body_part_raw", 2, 2, kTypeInto, "The same with Content-Type and with the delimiter behind the part.",
     kAnyRoute, get_part<&Part::raw>, prepare_variable},
};

}  // namespace

std::span<const Function> multipart_functions() { return kFunctions; }

}  // namespace kahu::textops
