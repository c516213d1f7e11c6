// core/modules/rr/loose_route.h -- RFC 3261 16.4 and 16.6: taking our own values out of Route, and the next hop.
//
// LIVES  What the last loose_route() found (the parameters of our own Route value) is kept until the next message.
#pragma once
#include <string_view>

#include "core/script/run.h"

namespace kahu::rr {

enum class Preloaded : uint8_t { any, only };
struct How {
    Preloaded which = Preloaded::any;
    bool strict = true;         // a Request-URI that is ours is a strict router's
    bool flow_tokens = true;    // with module outbound
    bool by_single = false;     // our socket that one Route value alone names is what the request leaves by
    bool socket_names = false;  // ";sn=" names it
};
// Kamailio's values: 1 routed by Route headers, 2 over the flow that our own value names (RFC 5626), -1 not, -2 that
// flow token was tampered with, -3 the only value was ours, in a request that begins a dialog: routing is the script's.
int loose_route(script::Run& run, const How& how);

// The parameters of our own Route value of this message, ";lr;ftag=..."; empty: loose_route() found none.
std::string_view own_route_params(const script::Run& run);

}  // namespace kahu::rr
