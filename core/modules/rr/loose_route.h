// core/modules/rr/loose_route.h -- RFC 3261 16.4 and 16.6: taking our own values out of Route, and the next hop.
//
// LIVES  What the last loose_route() found (the parameters of our own Route value) is kept until the next message.
#pragma once
#include <string_view>

#include "core/script/run.h"

namespace kahu::rr {

enum class Preloaded : uint8_t { any, only };
// Kamailio's values: 1 routed by Route headers, -1 not.
int loose_route(script::Run& run, Preloaded which);

// The parameters of our own Route value of this message, ";lr;ftag=..."; empty: loose_route() found none.
std::string_view own_route_params(const script::Run& run);

}  // namespace kahu::rr
