#include "rpc/datagram_server.h"

namespace kahu::rpc {

void DatagramServer::answer(std::string_view request, const std::string& peer, Deliver deliver) {
    Framed framed = frame_request(request);
    if (framed.what == Framed::What::broken) return deliver(std::move(framed.fault));
    if (framed.what == Framed::What::need_more)
        return deliver(binrpc::write_fault(framed.header.cookie, 400, "bad request: a datagram must hold all of it"));
    answer_request(framed.header, request.substr(0, framed.header.packet_bytes()), peer, std::move(deliver));
}

std::string DatagramServer::fault(std::string_view request, const std::string& why) {
    return binrpc::write_fault(frame_request(request).header.cookie, 500, why);
}

}  // namespace kahu::rpc
