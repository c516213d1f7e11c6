#include "core/sip/message.h"

#include <cstring>

#include "core/base/text.h"
#include "core/sip/numbers.h"
#include "core/sip/scan.h"

namespace kahu::sip {

namespace {

constexpr size_t kUsualHeaders = 64;

size_t find_lf(std::string_view text, size_t from) {
    if (from >= text.size()) return text.npos;
    const void* found = std::memchr(text.data() + from, '\n', text.size() - from);
    return found == nullptr ? text.npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

Message::Message() { headers_.reserve(kUsualHeaders); }

void Message::clear() {
    bytes_ = start_line_ = body_ = {};
    method_name_ = request_uri_ = version_ = reason_ = {};
    headers_.clear();
    first_.fill(0);
    duplicate_ = HeaderId::other;
    method_ = Method::other;
    is_request_ = false;
    status_ = 0;
    reject_ = {};
    known_.fill(Known::no);
    second_via_at_ = 0;
    bad_ = {};
}

// Only the first failure counts: later ones usually follow from it.
bool Message::fail(const char* rule, size_t at, int status, const char* reason) {
    if (!reject_) {
        bad_ = {rule, at};
        reject_ = {status, reason};
    }
    return false;
}

bool Message::parse(std::string_view bytes, Bad& bad) {
    clear();
    while (!bytes.empty() && (bytes[0] == '\r' || bytes[0] == '\n')) bytes.remove_prefix(1);  // RFC 3261 7.5
    bytes_ = bytes;
    size_t body_at = bytes.size();
    const size_t lf = find_lf(bytes, 0);
    if (bytes.size() > kMaxBytes) {
        fail("message too long", kMaxBytes, 513, "Message Too Large");
    } else if (lf == bytes.npos) {
        fail("Start-Line: no line end", bytes.size(), 400, "Malformed Start-Line");
    } else {
        start_line_ = bytes.substr(0, lf + 1);
        parse_start_line(bytes.substr(0, lf > 0 && bytes[lf - 1] == '\r' ? lf - 1 : lf));
        if (index_headers(lf + 1, body_at)) set_body(body_at);
    }
    if (!reject_) return true;
    bad = bad_;
    return false;
}

bool Message::parse_start_line(std::string_view line) {
    if (line.size() >= 4 && text::iequals(line.substr(0, 4), "SIP/")) return parse_status_line(line);
    is_request_ = true;
    const size_t first_space = line.find(' ');
    const size_t last_space = line.rfind(' ');
    method_name_ = line.substr(0, first_space);
    if (method_name_.empty() || !all_in(method_name_, kToken))
        return fail("Request-Line: Method", 0, 400, "Malformed Request-Line");
    method_ = method_id(method_name_);
    if (first_space == last_space)  // none, or one
        return fail("Request-Line: two SP", method_name_.size(), 400, "Malformed Request-Line");
    version_ = line.substr(last_space + 1);
    request_uri_ = line.substr(first_space + 1, last_space - first_space - 1);
    const auto breaks_it = [](char c) { return is_lws(c) || c == '<' || c == '>' || c == '"' || c == '\0'; };
    for (size_t i = 0; i < request_uri_.size(); ++i)
        if (breaks_it(request_uri_[i]))
            return fail("Request-Line: Request-URI", first_space + 1 + i, 400, "Malformed Request-URI");
    if (request_uri_.empty()) return fail("Request-Line: Request-URI", first_space + 1, 400, "Malformed Request-URI");
    if (text::iequals(version_, "SIP/2.0")) return true;
    if (version_.size() > 4 && text::iequals(version_.substr(0, 4), "SIP/"))
        return fail("Request-Line: SIP-Version", last_space + 1, 505, "Version Not Supported");
    return fail("Request-Line: SIP-Version", last_space + 1, 400, "Malformed Request-Line");
}

bool Message::parse_status_line(std::string_view line) {
    Cursor in(line);
    const size_t space = line.find(' ');
    version_ = line.substr(0, space);
    if (!text::iequals(version_, "SIP/2.0")) return fail("Status-Line: SIP-Version", 0, 505, "Version Not Supported");
    in.skip(version_.size());
    in.eat(' ');
    const std::string_view code = in.take(kDigit);
    const auto number = parse_uint32(code);
    if (code.size() != 3 || !number || *number < 100 || *number > 699)
        return fail("Status-Line: Status-Code", version_.size() + 1, 400, "Malformed Status-Line");
    // The SP before an empty phrase is often forgotten, and means nothing.
    if (!in.done() && !in.eat(' ')) return fail("Status-Line: SP", in.at(), 400, "Malformed Status-Line");
    status_ = static_cast<int>(*number);
    reason_ = in.rest();
    return true;
}

void Message::add_header(HeaderId id, std::string_view name, std::string_view value, std::string_view whole) {
    headers_.push_back({id, name, value, whole});
    uint16_t& first = first_[static_cast<size_t>(id)];
    if (first == 0) {
        first = static_cast<uint16_t>(headers_.size());
    } else if (id < duplicate_ && header_is_once(id)) {
        duplicate_ = id;
    }
}

// Finds all headers from offset `at`, up to the empty line; `body_at` is then behind it.  A line that is no header
// makes the message bad, but does not hide the headers behind it: the answer needs them.
bool Message::index_headers(size_t at, size_t& body_at) {
    const std::string_view in = bytes_;
    while (true) {
        if (at >= in.size()) return fail("message: no empty line behind the headers", at, 400, "Incomplete Message");
        if (in[at] == '\n' || (in[at] == '\r' && at + 1 < in.size() && in[at + 1] == '\n')) {
            body_at = at + (in[at] == '\n' ? 1 : 2);
            return true;
        }
        const size_t start = at;
        size_t lf = find_lf(in, at);
        while (lf != in.npos && lf + 1 < in.size() && is_blank(in[lf + 1])) lf = find_lf(in, lf + 1);
        if (lf == in.npos) return fail("header: no line end", in.size(), 400, "Incomplete Message");
        at = lf + 1;

        size_t name_end = start;
        while (is_token(in[name_end])) ++name_end;  // stops at the LF at the latest
        size_t colon = name_end;
        while (is_blank(in[colon])) ++colon;
        if (name_end == start || in[colon] != ':') {
            fail("header: name and colon", start, 400, "Malformed Header Field");
            continue;
        }
        if (headers_.size() == kMaxHeaders) return fail("too many headers", start, 400, "Too Many Header Fields");
        const std::string_view name = in.substr(start, name_end - start);
        add_header(header_id(name), name, trim_lws(in.substr(colon + 1, lf - colon)), in.substr(start, at - start));
    }
}

bool Message::set_body(size_t body_at) {
    body_ = bytes_.substr(body_at);
    const HeaderField* field = first(HeaderId::content_length);
    if (field == nullptr) return true;
    const size_t value_at = offset_of(field->value);
    const auto length = parse_uint32(field->value);
    if (!length) return fail("Content-Length: number", value_at, 400, "Malformed Content-Length");
    if (next(field) != nullptr)
        return fail("Content-Length: given twice", offset_of(next(field)->name), 400, "Content-Length Given Twice");
    if (*length > body_.size())
        return fail("Content-Length: larger than the body", value_at, 400, "Content-Length Larger Than Message");
    body_ = body_.substr(0, *length);
    bytes_ = bytes_.substr(0, body_at + *length);
    return true;
}

size_t head_bytes(std::string_view message) {
    for (size_t lf = message.find('\n'); lf != message.npos; lf = message.find('\n', lf + 1)) {
        const std::string_view next = message.substr(lf + 1, 2);
        if (next.starts_with('\n')) return lf + 2;
        if (next == "\r\n") return lf + 3;
    }
    return message.npos;
}

}  // namespace kahu::sip
