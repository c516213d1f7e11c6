// core/net/dispatch.h -- from a transport to the routing script behind MessageHandler.
#pragma once
#include "core/net/inbound.h"

namespace kahu::net {
void dispatch(std::string_view bytes, const Inbound& from);  // counts, then calls the handler
}
