#include "core/modules/rr/loose_route.h"

#include <string>

#include "core/base/log.h"
#include "core/modules/rr/route_set.h"
#include "core/net/listener.h"
#include "core/script/message_facts.h"
#include "core/sip/params.h"

namespace kahu::rr {
namespace {

using script::Run;

constexpr int kRouted = 1, kNotRouted = -1;

struct Found {
    uint64_t message = 0;  // Run::number()
    std::string params;
};
Found g_found;

bool has_param(const sip::Uri& uri, std::string_view name) { return sip::find_param(uri.params, name).has_value(); }
bool is_ours(const RouteValue& value) { return value.good && script::is_myself(value.uri); }

bool is_in_dialog(const sip::Message& message) {
    const sip::NameAddr* const to = message.to();
    return to != nullptr && !to->tag.empty();
}

// Our own URI in the Request-Line: a strict router put it there (16.4).
bool came_by_strict_router(Run& run) {
    const sip::Uri* const uri = run.parsed_request_uri();
    return uri != nullptr && uri->is_sip() && uri->gr.empty() && script::is_myself(*uri) && (uri->lr || !uri->has_user);
}

void remember(Run& run, std::string_view params) {
    g_found.message = run.number();
    g_found.params = params;
}

// The other of a pair (";r2=on") says what socket the request leaves by.
void leave_by(Run& run, const sip::Uri& uri) {
    const auto transport = transport_named(script::uri_transport(uri));
    const auto ip = SocketAddress::parse_ip(uri.bare_host(), script::uri_port(uri));
    for (const net::Listener& listener : net::listeners()) {
        const bool same =
            ip ? listener.address == *ip
               : listener.advertise_host == uri.bare_host() && listener.public_port() == script::uri_port(uri);
        if (transport && listener.transport == *transport && same) {
            run.branches.main().socket = listener.index;
            return;
        }
    }
}

// Takes our own value off the top, and the second of a pair.  False: the top is not ours.
bool take_own(Run& run, RouteSet& routes) {
    RouteValue* const top = routes.top();
    if (top == nullptr || !is_ours(*top)) return false;
    top->taken = true;
    remember(run, top->uri.params);
    if (!has_param(top->uri, "r2")) return true;
    RouteValue* const second = routes.top();
    if (second == nullptr || !is_ours(*second) || !has_param(second->uri, "r2")) return true;
    second->taken = true;
    leave_by(run, second->uri);
    return true;
}

// What is left says where to go.  A strict router wants its URI in the Request-Line (16.6.6).
std::string follow(Run& run, RouteSet& routes) {
    RouteValue* const next = routes.top();
    if (next == nullptr || !next->good) return {};
    if (next->uri.lr) {
        run.set_destination_uri(next->address.uri);
        return {};
    }
    std::string target = "<" + std::string(run.request_uri()) + ">";
    run.set_request_uri(next->address.uri);
    run.set_destination_uri({});
    next->taken = true;
    return target;
}

int after_strict_router(Run& run, RouteSet& routes) {
    if (const sip::Uri* const own = run.parsed_request_uri()) remember(run, own->params);
    RouteValue* const target = routes.last();
    if (!target->good) return kNotRouted;
    target->taken = true;
    run.set_request_uri(target->address.uri);
    (void)take_own(run, routes);  // the other of a pair
    const std::string behind = follow(run, routes);
    routes.apply(run, behind);
    return kRouted;
}

}  // namespace

int loose_route(Run& run, Preloaded which) {
    static RouteSet routes;
    const sip::Message& message = run.message();
    if (!message.has(sip::HeaderId::route)) return kNotRouted;
    if (!routes.read(message) || routes.top() == nullptr) {
        LOG(info, "rr.bad_route", kv("from", run.inbound().source.text()));
        return kNotRouted;
    }
    const bool in_dialog = is_in_dialog(message);
    if (which == Preloaded::only && in_dialog) return kNotRouted;
    if (in_dialog && came_by_strict_router(run)) return after_strict_router(run, routes);
    const bool own = take_own(run, routes);
    // Who is not in a dialog and names others first wants to use us as a relay: the script decides.
    if (!own && !in_dialog) return kNotRouted;
    const std::string behind = follow(run, routes);
    routes.apply(run, behind);
    return kRouted;
}

std::string_view own_route_params(const Run& run) {
    return g_found.message == run.number() ? std::string_view(g_found.params) : std::string_view();
}

}  // namespace kahu::rr
