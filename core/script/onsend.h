// core/script/onsend.h -- onsend_route: what the script wants to know, or to stop, just before a request leaves.
//
// WHY    forward() and tm both send requests; the route, snd_ip and $snd() must mean the same for both.
// LIVES  The destination and the bytes are the sender's; Run::sending points to them while the route runs.
// FAILS  Never: without an onsend_route, or when it does not say drop, the message goes out.
#pragma once
#include <string_view>

#include "core/net/destination.h"

namespace kahu::script {

class Run;

struct Sending {
    const net::Destination* to = nullptr;  // its listener was chosen
    std::string_view bytes;                // as they leave
};

bool has_onsend_route();
// False: the route said drop, the message is not to be sent.  What the route returns and its $rc stay its own.
bool run_onsend_route(Run& run, const net::Destination& to, std::string_view bytes);

}  // namespace kahu::script
