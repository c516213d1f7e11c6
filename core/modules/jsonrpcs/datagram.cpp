#include "core/modules/jsonrpcs/datagram.h"

#include "core/modules/jsonrpcs/protocol.h"
#include "core/modules/jsonrpcs/settings.h"

namespace kahu::jsonrpcs {

std::string Datagrams::answer(std::string_view document, const std::string& peer) {
    return jsonrpcs::answer(document, peer, settings.pretty_format != 0).text;
}

std::string Datagrams::fault(std::string_view document, const std::string& why) {
    return error_like(document, 500, why, settings.pretty_format != 0);
}

}  // namespace kahu::jsonrpcs
