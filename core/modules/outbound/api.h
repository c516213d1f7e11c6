// core/modules/outbound/api.h -- flow tokens for the modules that write and read our own URIs: path and rr.
//
// WHY    RFC 5626 5: whoever registers or calls through us over a flow is reached over that flow, and no other way.
// LIVES  The key is drawn before the first fork, so all processes have it, those of a fresh segment too; with
//        flow_token_secret it outlives the server.
// LOCKS  None.
#pragma once
#include <string_view>

#include "core/modules/outbound/flow_token.h"
#include "core/script/run.h"
#include "core/sip/uri.h"

namespace kahu::outbound {

bool active();  // the module is loaded; everything else here may be called only then

// Whether the URI that we put into this request has to lead back to a flow, and to which (RFC 5626 5.1, 5.3).
enum class Use : uint8_t {
    no,
    source,  // the one that the request came over
    forced,  // the same, but nobody asked for it: a way that is preferred while it is open
    route,   // the one that its topmost Route names: it is on its way to that phone
};
Use use_of(script::Run& run);

// force_no_outbound_flag is set.
bool is_refused(const script::Run& run);

// In the run's arena.  REQUIRES: use_of() said so.
std::string_view token_for(script::Run& run, Use use);

// The user of one of our own URIs.  Good: `flow` is filled in.
Token flow_of(const sip::Uri& own, script::PeerFlow& flow);

// Sends the request over that flow, and nowhere else if it is a connection.  False: it has ended, and is not the only
// way.
bool follow(script::Run& run, const script::PeerFlow& flow);

}  // namespace kahu::outbound
