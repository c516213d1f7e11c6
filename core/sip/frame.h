// core/sip/frame.h -- where one SIP message ends and the next begins on a byte stream (RFC 3261 18.3, 7.5).
//
// WHY    TCP and TLS deliver any number of bytes at a time.  next_frame() looks only at bytes it has not
//        seen, so a message that comes byte by byte costs O(n), not O(n^2).
// LIVES  FrameState belongs to the connection (it may be in the segment: 24 bytes, no pointers) and is
//        all zero for a new connection.
// USE    Keep unconsumed bytes at the front of the buffer.  After `message`, `ping` and `skip` remove
//        `bytes` from the front and call again; after `need_more` append and call again with the longer
//        text; after `error` answer `status` where the head can be parsed (bytes > 0) and close: the
//        stream cannot be framed any more.
// FAILS  Broken, duplicate or missing Content-Length 400, header section too long 513, message too long 513.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kahu::sip {

struct FrameLimits {
    uint32_t max_header_bytes = 65535;      // start line and headers
    uint32_t max_message_bytes = 65535;     // headers and body
    bool accept_no_content_length = false;  // a message without Content-Length has no body
};

struct FrameState {           // standard layout, all zero: at the start of a frame
    uint32_t scanned = 0;     // no line end is left to be found before this offset
    uint32_t line_at = 0;     // start of the header (with its folds) being collected
    uint32_t head_bytes = 0;  // length of start line and headers, once their end was seen
    uint32_t body_bytes = 0;  // Content-Length
    uint8_t broken = 0;       // a Content-Length error, reported when the head is complete
    bool has_length = false;
    bool start_line_seen = false;
    bool after_crlf = false;  // a CRLF was skipped just before: one more makes it a ping
};

enum class FrameKind : uint8_t {
    message,  // `bytes` bytes are one message
    ping,     // double CRLF (RFC 5626 3.5.1): answer kPong
    skip,     // a lone CRLF (pong, or padding before a start line)
    need_more,
    error,
};
inline constexpr std::string_view kPong = "\r\n";

struct FrameResult {
    FrameKind kind = FrameKind::need_more;
    size_t bytes = 0;       // message, ping, skip: to remove.  error: the complete head, if it was seen, else 0
    int status = 0;         // error: what to answer before closing
    const char* rule = "";  // error: why
};

// Size of the frame once its head was read, else 0: how large the receive buffer must become.
constexpr size_t frame_bytes(const FrameState& s) {
    return s.head_bytes == 0 ? 0 : size_t{s.head_bytes} + s.body_bytes;
}

// REQUIRES: `bytes` starts with the same octets as at the last call that returned need_more.
FrameResult next_frame(std::string_view bytes, FrameState& resume, const FrameLimits& limits);

}  // namespace kahu::sip
