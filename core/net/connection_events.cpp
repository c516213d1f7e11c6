#include "core/net/connection_events.h"

#include "core/net/connection.h"

namespace kahu::net {
namespace {
OutgoingFilter g_filter = nullptr;
EndHandler g_handler = nullptr;
bool g_all = false;
}  // namespace

void set_outgoing_filter(OutgoingFilter filter) { g_filter = filter; }
OutgoingFilter outgoing_filter() { return g_filter; }

void set_end_handler(EndHandler handler, bool all) {
    g_handler = handler;
    g_all = all;
}
EndHandler end_handler_of(const Connection& connection) {
    if (g_handler == nullptr || connection.state.load() == ConnectionState::connecting) return nullptr;
    return g_all || connection.tells_end.load(std::memory_order_relaxed) ? g_handler : nullptr;
}

}  // namespace kahu::net
