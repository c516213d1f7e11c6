// core/modules/jsonrpcs/protocol.h -- JSON-RPC 2.0: one document in, one document out; whatever carried it.
//
//   {"jsonrpc": "2.0", "method": "core.psx", "params": ["a", 1], "id": 1}
//
// RULES  Params may be an object: its values count in the order in which they stand, as Kamailio takes them. A method
//        that always lists (core.psx) is answered with an array, others with their one value, {} for none. Faults of a
//        method keep their code; an unknown method is 500 "Method Not Found"; -32700, -32600 and -32602 are the
//        specification's. A list of requests is answered with the list of answers.
// FAILS  Never: what makes no sense is answered with an error.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace kahu::jsonrpcs {

// What stands at the front of bytes that arrived on a stream (the FIFO).
struct Framed {
    enum class What : unsigned char { need_more, document, broken } what = What::need_more;
    size_t bytes = 0;  // document: how many of the input, white space before it included; broken: how many to drop
};
Framed frame_document(std::string_view input, size_t longest);

struct Answer {
    std::string text;        // whole JSON document
    std::string reply_name;  // member "reply_name" of the request; "" if there is none
};
// `deliver` is called once: at once or, if a command takes time, later.
void answer(std::string_view document, std::string_view client, bool pretty, std::function<void(Answer)> deliver);

// For transports: the request had this id, and its answer is this error instead.
std::string error_like(std::string_view document, int code, std::string_view message, bool pretty);

}  // namespace kahu::jsonrpcs
