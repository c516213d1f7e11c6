// call_text.h -- the messages of a call as both its ends write them, and the little they need of what they read.
// Like sip.h deliberately not core/sip: a fault there must not hide itself by being on both sides.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/address.h"

namespace kahu::load {

// Views into the bytes read.
struct CallMessage {
    int status = 0;  // 0: a request
    uint32_t number = 0;
    std::string_view method;       // of the request, or of the answer's CSeq
    std::string_view head;         // start line and headers
    std::string_view to, contact;  // whole value; the URI between < and >
};

// Reads one message from the front of `bytes`: its length, 0 when more are needed, -1 when this is none of ours.
long read_call_message(std::string_view bytes, CallMessage& out);

// Via, Record-Route, From, To with `tag`, Call-ID and CSeq of a request: what every answer repeats.
std::string echo_of(const CallMessage& request, std::string_view tag);
// Record-Route of an answer, reversed, as Route lines.
std::string routes_of(const CallMessage& answer);

// The caller's side of call `number`, over `transport` to callee_uri.
class CallerText {
  public:
    CallerText(Transport transport, std::string callee_uri);
    std::string invite(uint32_t number) const;
    // ACK or BYE inside the dialog.
    std::string in_dialog(std::string_view method, uint32_t number, std::string_view to, std::string_view contact,
                          std::string_view routes) const;

  private:
    std::string_view upper_, lower_;
    std::string callee_uri_;
    std::string run_;  // one server sees several runs within the life of a transaction
};

std::string callee_answer(std::string_view status, const std::string& echo, const std::string& contact_uri,
                          bool with_body);

}  // namespace kahu::load
