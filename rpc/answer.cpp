#include "rpc/answer.h"

#include <fmt/format.h>

#include "core/base/log.h"
#include "rpc/settings.h"
#include "rpc/unfinished.h"

namespace kahu::rpc {
namespace {
binrpc::Limits limits() {
    binrpc::Limits l;
    l.body_bytes = static_cast<size_t>(settings.body_kilobytes.get()) * 1024;
    return l;
}
}  // namespace

Framed frame_request(std::string_view bytes) {
    Framed framed;
    const binrpc::HeaderStatus status = binrpc::read_header(bytes, framed.header);
    if (status == binrpc::HeaderStatus::need_more) return framed;
    const size_t longest = limits().body_bytes;
    if (status == binrpc::HeaderStatus::corrupt || framed.header.type != binrpc::PacketType::request) {
        framed.what = Framed::What::broken;
        framed.fault = binrpc::write_fault(0, 400, "bad request: corrupted packet");
    } else if (framed.header.body_bytes > longest) {
        framed.what = Framed::What::broken;
        framed.fault = binrpc::write_fault(
            framed.header.cookie, 400,
            fmt::format("bad request: body of {} bytes, at most {} are read (modparam ctl binrpc_max_body_size)",
                        framed.header.body_bytes, longest));
    } else if (framed.header.packet_bytes() <= bytes.size()) {
        framed.what = Framed::What::request;
    }
    return framed;
}

void answer_request(const binrpc::Header& header, std::string_view packet, std::string_view client, Deliver deliver) {
    binrpc::Request request;
    std::string why;
    if (!binrpc::read_request(packet.substr(header.header_bytes, header.body_bytes), limits(), request, why))
        return deliver(binrpc::write_fault(header.cookie, 400, why));
    RpcCall call(std::move(request.method), std::move(request.params));
    call.client = client;
    run_command(std::move(call), [cookie = header.cookie, deliver = std::move(deliver)](const RpcCall& done) {
        const auto& fault = done.faulted();
        deliver(fault ? binrpc::write_fault(cookie, fault->first, fault->second)
                      : binrpc::write_reply(cookie, done.results()));
    });
}

}  // namespace kahu::rpc
