#include "rpc/datagram_server.h"

#include "rpc/answer.h"

namespace kahu::rpc {

std::string DatagramServer::answer(std::string_view request, const std::string& peer) {
    Framed framed = frame_request(request);
    if (framed.what == Framed::What::broken) return std::move(framed.fault);
    if (framed.what == Framed::What::need_more)
        return binrpc::write_fault(framed.header.cookie, 400, "bad request: a datagram must hold all of it");
    return answer_request(framed.header, request.substr(0, framed.header.packet_bytes()), peer);
}

std::string DatagramServer::fault(std::string_view request, const std::string& why) {
    return binrpc::write_fault(frame_request(request).header.cookie, 500, why);
}

}  // namespace kahu::rpc
