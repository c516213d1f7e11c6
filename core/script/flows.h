// core/script/flows.h -- a flow: the connection or pair of addresses over which a peer is reached (RFC 5626).
//
// WHY    Who keeps a dialog on its way (rr, path) writes the flow of a phone into our own URIs, as a token that the
//        module outbound makes and knows again.  The flow of the side that is called is known when the request
//        leaves, so the message builder asks for a token, and core/script knows no module.
// LIVES  The writer is set by module outbound before the first fork; nullptr without it.
#pragma once
#include <string>

#include "core/base/address.h"
#include "core/net/inbound.h"

namespace kahu::script {

struct PeerFlow {
    Transport transport = Transport::udp;
    SocketAddress local, peer;                               // where we listen, and the other end
    net::ConnectionId connection = net::ConnectionId::none;  // streams only
    bool only = true;  // the phone asked for it (RFC 5626); false: once it has ended, the URIs say where the phone is

    static PeerFlow of(const net::Inbound& from) {
        return {from.transport, listening_at(from), from.source, from.connection, true};
    }
    // The same flow for RFC 5626 5.3.1: what the token names is where the request came from.
    bool is_from(const net::Inbound& from) const {
        return transport == from.transport && peer == from.source && connection == from.connection;
    }

  private:
    static SocketAddress listening_at(const net::Inbound& from);
};

// Appends a token, which may stand as the user of a SIP URI.
using FlowTokenWriter = void (*)(const PeerFlow& flow, std::string& out);
void set_flow_token_writer(FlowTokenWriter writer);
FlowTokenWriter flow_token_writer();

}  // namespace kahu::script
