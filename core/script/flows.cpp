#include "core/script/flows.h"

#include "core/net/listener.h"

namespace kahu::script {
namespace {
FlowTokenWriter g_writer = nullptr;
}

SocketAddress PeerFlow::listening_at(const net::Inbound& from) {
    return from.listener < net::listeners().size() ? net::listeners()[from.listener].address : from.local;
}

void set_flow_token_writer(FlowTokenWriter writer) { g_writer = writer; }
FlowTokenWriter flow_token_writer() { return g_writer; }

}  // namespace kahu::script
