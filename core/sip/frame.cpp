#include "core/sip/frame.h"

#include <cstring>

#include "core/base/text.h"
#include "core/sip/header_table.h"
#include "core/sip/numbers.h"
#include "core/sip/scan.h"

namespace kahu::sip {

namespace {

// What FrameState::broken holds, with 0 for none.
constexpr const char* kBrokenRules[] = {"", "Content-Length: number", "Content-Length: given twice"};
enum Broken : uint8_t { kNone, kNotANumber, kGivenTwice };

FrameResult error(FrameState& s, int status, const char* rule, size_t head_bytes) {
    s = {};
    return {FrameKind::error, head_bytes, status, rule};
}

// CRLFs before a start line: padding, or a keep-alive.  need_more: none here.
FrameResult leading_crlf(std::string_view bytes, FrameState& s) {
    if (bytes[0] == '\n') return {FrameKind::skip, 1};
    if (bytes[0] != '\r' || bytes.size() < 2) return {};
    if (bytes[1] != '\n') return error(s, 400, "Start-Line: CR without LF", 0);
    const bool second = s.after_crlf;
    s.after_crlf = false;
    if (second) return {FrameKind::ping, 2};
    if (bytes.size() >= 4 && bytes[2] == '\r' && bytes[3] == '\n') return {FrameKind::ping, 4};
    s.after_crlf = true;
    return {FrameKind::skip, 2};
}

// One header with its folds and line end, so never empty: all that matters here is whether it is Content-Length.
void look_at_header(std::string_view header, FrameState& s) {
    const char letter = text::lower(header[0]);
    if (letter != 'c' && letter != 'l') return;
    Cursor in(header);
    const std::string_view name = in.take_token();
    if (header_id(name) != HeaderId::content_length) return;
    in.take(kBlank);
    if (!in.eat(':')) return;
    const auto length = parse_uint32(trim_lws(in.rest()));
    if (!length) {
        s.broken = kNotANumber;
    } else if (s.has_length) {
        s.broken = kGivenTwice;
    } else {
        s.body_bytes = *length;
    }
    s.has_length = true;
}

// HTTP comes over the same ports (JSON-RPC, RFC 7118 handshakes) and is framed alike.
bool is_start_line(std::string_view line) {
    return line.find("SIP/") != line.npos || line.find("sip/") != line.npos || line.find("HTTP/") != line.npos;
}

FrameResult head_complete(size_t head_bytes, FrameState& s, const FrameLimits& limits) {
    if (s.broken != kNone) return error(s, 400, kBrokenRules[s.broken], head_bytes);
    if (!s.has_length && !limits.accept_no_content_length)
        return error(s, 400, "Content-Length: missing on a stream", head_bytes);
    if (head_bytes > limits.max_header_bytes) return error(s, 513, "header section too long", 0);
    if (s.body_bytes > limits.max_message_bytes || head_bytes > limits.max_message_bytes - s.body_bytes)
        return error(s, 513, "message too long", head_bytes);
    s.head_bytes = static_cast<uint32_t>(head_bytes);
    return {};
}

// Looks at every line end that has not been seen.  need_more with head_bytes set: the head is complete.
FrameResult scan_head(std::string_view bytes, FrameState& s, const FrameLimits& limits) {
    while (true) {
        const void* found =
            s.scanned < bytes.size() ? std::memchr(bytes.data() + s.scanned, '\n', bytes.size() - s.scanned) : nullptr;
        if (found == nullptr) {
            s.scanned = static_cast<uint32_t>(bytes.size());
            if (bytes.size() > limits.max_header_bytes) return error(s, 513, "header section too long", 0);
            return {};
        }
        const size_t lf = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
        const size_t length = lf - s.line_at;
        if (length == 0 || (length == 1 && bytes[s.line_at] == '\r')) return head_complete(lf + 1, s, limits);
        if (s.start_line_seen) {
            // Whether the header goes on in a folded line shows in the next octet.
            if (lf + 1 == bytes.size()) {
                s.scanned = static_cast<uint32_t>(lf);
                if (bytes.size() > limits.max_header_bytes) return error(s, 513, "header section too long", 0);
                return {};
            }
            s.scanned = static_cast<uint32_t>(lf + 1);
            if (is_blank(bytes[lf + 1])) continue;
            look_at_header(bytes.substr(s.line_at, lf + 1 - s.line_at), s);
        } else if (!is_start_line(bytes.substr(0, lf))) {
            return error(s, 400, "Start-Line: not SIP", 0);
        }
        s.start_line_seen = true;
        s.scanned = static_cast<uint32_t>(lf + 1);
        s.line_at = static_cast<uint32_t>(lf + 1);
    }
}

}  // namespace

FrameResult next_frame(std::string_view bytes, FrameState& s, const FrameLimits& limits) {
    if (bytes.empty()) return {};
    if (s.scanned == 0) {
        if (bytes[0] == '\r' || bytes[0] == '\n') return leading_crlf(bytes, s);
        s.after_crlf = false;
        // What cannot become SIP is refused at once: a TLS hello on the plain port, for one.
        if (!is_token(bytes[0])) return error(s, 400, "Start-Line: not SIP", 0);
    }
    if (s.head_bytes == 0) {
        const FrameResult result = scan_head(bytes, s, limits);
        if (result.kind == FrameKind::error || s.head_bytes == 0) return result;
    }
    const size_t total = frame_bytes(s);
    if (bytes.size() < total) return {};
    s = {};
    return {FrameKind::message, total};
}

}  // namespace kahu::sip
