#include "core/modules/jsonrpcs/datagram.h"

#include "core/modules/jsonrpcs/protocol.h"
#include "core/modules/jsonrpcs/settings.h"

namespace kahu::jsonrpcs {

void Datagrams::answer(std::string_view document, const std::string& peer, rpc::Deliver deliver) {
    jsonrpcs::answer(document, peer, settings.pretty_format != 0,
                     [deliver = std::move(deliver)](Answer made) { deliver(std::move(made.text)); });
}

std::string Datagrams::fault(std::string_view document, const std::string& why) {
    return error_like(document, 500, why, settings.pretty_format != 0);
}

}  // namespace kahu::jsonrpcs
