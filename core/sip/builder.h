// core/sip/builder.h -- writing SIP text, and the reply to a request (RFC 3261 8.2.6).
//
// LIVES  Everything is appended to a std::string of the caller's, which is reused between messages: after
//        the first few no allocation happens.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/sip/header_table.h"
#include "core/sip/message.h"

namespace kahu::sip {

class Writer {
  public:
    explicit Writer(std::string& out) : out_(out) {}
    Writer& text(std::string_view s) {
        out_.append(s);
        return *this;
    }
    Writer& number(uint64_t n);
    Writer& crlf() { return text("\r\n"); }
    Writer& header(std::string_view name, std::string_view value);
    Writer& header(HeaderId id, std::string_view value) { return header(header_name(id), value); }
    Writer& request_line(std::string_view method, std::string_view uri);
    // An empty reason: the registered phrase.  Line ends in it become spaces.
    Writer& status_line(int status, std::string_view reason);
    Writer& body(std::string_view content_type, std::string_view body);  // Content-Type, Content-Length, CRLF, body

  private:
    std::string& out_;
};

struct ReplyOptions {
    std::string_view to_tag;         // added unless To has one, or status is 100
    std::string_view extra_headers;  // complete lines, each with its CRLF
    std::string_view body, content_type;
    std::string_view server_header;  // value of Server; empty: none
    std::string_view received;       // source address as text (IPv6 without brackets): put into the top Via as
                                     // ;received when it differs from sent-by (18.2.1), always with ;rport (RFC 3581 4)
    uint16_t received_port = 0;      // 0: ;rport is left as it came
    bool force_rport = false;        // ;rport is put in if it did not come
};

// Appends the whole reply to `out`.  Copies every Via, From, To, Call-ID, CSeq, for 100 Timestamp, and for
// 101-299 to a dialog-forming request Record-Route.  An empty reason means the registered phrase.
// REQUIRES: request.can_be_answered(), 100 <= status <= 699.
void build_reply(const Message& request, int status, std::string_view reason, const ReplyOptions& options,
                 std::string& out);

// The same as text: where ;received and ;rport go into a Via element, for who forwards a request.
void append_via_with_source(const Via& via, std::string_view received, uint16_t port, std::string& out,
                            bool force_rport = false);

}  // namespace kahu::sip
