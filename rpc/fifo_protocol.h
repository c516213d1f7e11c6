// rpc/fifo_protocol.h -- what is written into the request FIFO, and the text form of answers.  Pure.
//
//   binary  reply_name "\n" binrpc-packet            the answer is a binrpc packet
//   text    ":" command ":" reply_name "\n"          Kamailio's old protocol; the answer is
//           parameter "\n" ... "\n"                  "200 OK\n" and one line for each value, or "500 reason\n"
//
// A parameter is an integer, a number with a decimal point, or text; "in quotes" or after s: it is text whatever it
// looks like.  A struct is one line of name:value pairs, with ',' between them; in a struct, ':' ',' '\' and control
// characters of values are written \o \c \\ \n \r \t \0.
//
// FAILS  Several clients write to one FIFO: writes of up to PIPE_BUF (4096) bytes stay whole, longer ones may mix. When
//        the bytes make no sense, all that is buffered is dropped.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/module/rpc_call.h"
#include "rpc/binrpc.h"

namespace kahu::rpc {

struct FifoRequest {
    enum class What : uint8_t { need_more, binary, text, broken } what = What::need_more;
    size_t bytes = 0;                    // binary, text: how many of the input it took
    std::string_view reply_name;         // valid while the input is; a plain file name
    std::string_view packet;             // binary: header and body
    binrpc::Header header;               // binary
    std::string method;                  // text
    std::vector<RpcCall::Param> params;  // text
    const char* why = "";                // broken
};
// `longest`: of the binrpc body, and of all lines of a text request together.
FifoRequest read_fifo_request(std::string_view input, size_t longest);

// A name that stays in its directory: 1..255 bytes, no slash, no leading dot, printable ASCII without blanks.
bool is_plain_file_name(std::string_view name);

std::string text_answer(const RpcCall& call);

}  // namespace kahu::rpc
