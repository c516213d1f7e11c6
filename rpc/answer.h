// rpc/answer.h -- one binrpc request in, one binrpc answer out; whatever transport carried it.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "rpc/binrpc.h"

namespace kahu::rpc {

// What stands at the front of received bytes.
struct Framed {
    enum class What : uint8_t { need_more, request, broken } what = What::need_more;
    binrpc::Header header;
    std::string fault;  // broken: the whole packet to answer with; then nothing more can be understood
};
Framed frame_request(std::string_view bytes);

// What is to be sent back: called once, before the request's function returns or, if the command takes time, later.
using Deliver = std::function<void(std::string)>;
// `packet` is a whole one, as framed.  Executes it; `deliver` gets the packet to send back.
void answer_request(const binrpc::Header& header, std::string_view packet, std::string_view client, Deliver deliver);

}  // namespace kahu::rpc
