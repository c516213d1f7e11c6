// core/sip/message.h -- one received SIP message, read as far as somebody asks.
//
// WHY    A proxy needs few headers of most messages.  parse() reads the start line and finds every
//        header's boundaries and id (~0.5 us); each header's own grammar is read on first use and kept.
// LIVES  One object per process, reused.  All views point into the bytes given to parse() and die with
//        them; the object allocates only while its header index grows, and keeps that memory.
// FAILS  parse() returns false, fills Bad, and reject() says what a UAS answers.  Headers are indexed as
//        far as possible even then, so that build_reply() can answer; see can_be_answered().
//        A getter returns nullptr or nullopt when the header is absent or malformed: has() and last_bad()
//        tell which.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/sip/bad.h"
#include "core/sip/cseq.h"
#include "core/sip/header_table.h"
#include "core/sip/method.h"
#include "core/sip/name_addr.h"
#include "core/sip/uri.h"
#include "core/sip/via.h"

namespace kahu::sip {

struct HeaderField {
    HeaderId id = HeaderId::other;
    std::string_view name;   // as written
    std::string_view value;  // without white space at its ends; may contain folds (see unfold())
    std::string_view whole;  // from the first character of the name to the end of the line, CRLF included
};

// How many octets of a message the start line, the headers and the empty line behind them have; npos: there is no such
// line.  Lines may end with a bare LF, as parse() takes them.
size_t head_bytes(std::string_view message);

class Message {
  public:
    static constexpr size_t kMaxHeaders = 1024;   // more is hostile
    static constexpr size_t kMaxBytes = 1 << 24;  // offsets stay far below 2**32

    Message();

    // A datagram, or one frame of a stream.  Octets behind Content-Length are ignored (RFC 3261 18.3).
    bool parse(std::string_view bytes, Bad& bad);
    void clear();  // forgets the views, keeps the memory

    // --- start line -----------------------------------------------------------------------------------
    bool is_request() const { return is_request_; }
    Method method() const { return method_; }  // response: Method::other
    std::string_view method_name() const { return method_name_; }
    std::string_view request_uri() const { return request_uri_; }
    std::string_view version() const { return version_; }  // "SIP/2.0"
    int status() const { return status_; }                 // 0 for a request
    std::string_view reason() const { return reason_; }
    std::string_view start_line() const { return start_line_; }  // with its CRLF

    // --- headers --------------------------------------------------------------------------------------
    std::span<const HeaderField> headers() const { return headers_; }
    const HeaderField* first(HeaderId id) const {
        const uint16_t i = first_[static_cast<size_t>(id)];
        return i == 0 ? nullptr : &headers_[i - 1u];
    }
    const HeaderField* first(std::string_view name) const;       // compact and full names find each other
    const HeaderField* next(const HeaderField* previous) const;  // the next of the same name
    const HeaderField* last(HeaderId id) const;
    bool has(HeaderId id) const { return first_[static_cast<size_t>(id)] != 0; }
    // A header that may appear once and does not (of several, the first in HeaderId's order); HeaderId::other if none.
    HeaderId duplicate() const { return duplicate_; }

    std::string_view body() const { return body_; }
    std::string_view bytes() const { return bytes_; }  // the message without what follows it
    std::string_view head() const { return bytes_.substr(0, bytes_.size() - body_.size()); }
    size_t offset_of(std::string_view part) const { return static_cast<size_t>(part.data() - bytes_.data()); }

    // --- parsed on first use, then kept -----------------------------------------------------------------
    const Via* top_via() const;
    const Via* second_via() const;
    const NameAddr* from() const;
    const NameAddr* to() const;
    const CSeq* cseq() const;
    std::string_view call_id() const;  // "" if absent or malformed
    std::optional<uint32_t> content_length() const;
    std::optional<uint32_t> max_forwards() const;
    std::optional<uint32_t> expires() const;
    const Uri* parsed_request_uri() const;

    // Why the last parse() or getter failed; offset into bytes().
    Bad last_bad() const { return bad_; }
    // What to answer if parse() failed (400, 505, 513); status 0 if it did not.  validate() finds the rest.
    Reject reject() const { return reject_; }
    // A request other than ACK that has a Via to send the answer by.  A malformed Via is enough: it is copied as
    // it is and the answer goes back to where the request came from.
    bool can_be_answered() const;

  private:
    enum Part : uint8_t { kTopVia, kSecondVia, kFrom, kTo, kCSeq, kRequestUri, kParts };
    enum class Known : uint8_t { no, good, bad };

    bool parse_start_line(std::string_view line);
    bool parse_status_line(std::string_view line);
    bool index_headers(size_t at, size_t& body_at);
    void add_header(HeaderId id, std::string_view name, std::string_view value, std::string_view whole);
    bool set_body(size_t body_at);
    bool fail(const char* rule, size_t at, int status, const char* reason);
    template <class Read>
    bool once(Part part, Read read) const;
    bool read_name_addr(HeaderId id, NameAddr& out) const;
    std::optional<uint32_t> number(HeaderId id, bool clamp) const;
    void remember(const Bad& bad, std::string_view part) const;

    std::string_view bytes_, start_line_, body_;
    std::string_view method_name_, request_uri_, version_, reason_;
    std::vector<HeaderField> headers_;
    std::array<uint16_t, kHeaderIds + 1> first_{};  // index + 1 into headers_; 0: none
    HeaderId duplicate_ = HeaderId::other;
    Method method_ = Method::other;
    bool is_request_ = false;
    int status_ = 0;
    Reject reject_;

    mutable std::array<Known, kParts> known_{};
    mutable size_t second_via_at_ = 0;  // behind the top Via in its field; 0: none
    mutable Bad bad_;
    mutable Via top_via_, second_via_;
    mutable NameAddr from_, to_;
    mutable CSeq cseq_;
    mutable Uri request_uri_parsed_;
};

}  // namespace kahu::sip
