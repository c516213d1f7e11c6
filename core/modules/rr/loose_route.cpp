#include "core/modules/rr/loose_route.h"

#include <string>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/modules/outbound/api.h"
#include "core/modules/path/api.h"
#include "core/modules/rr/route_set.h"
#include "core/net/listener.h"
#include "core/script/message_facts.h"
#include "core/sip/params.h"

namespace kahu::rr {
namespace {

using script::Run;

constexpr int kRouted = 1, kByFlow = 2, kNotRouted = -1, kBrokenToken = -2, kOnlyOurs = -3;

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
    g_found.message = run.id();
    g_found.params = params;
}

// Our own value says what socket the request leaves by: the second of a pair (";r2=on").
void leave_by(Run& run, const sip::Uri& uri, const How& how) {
    if (const auto name = how.socket_names ? sip::find_param(uri.params, "sn") : std::nullopt) {
        for (const net::Listener& listener : net::listeners())
            if (!listener.name.empty() && listener.name == name->value) {
                run.branches.main().socket = listener.index;
                return;
            }
    }
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

// What our own values said.
struct Own {
    bool found = false;     // the top was ours
    bool broken = false;    // with a token that is not ours
    bool has_flow = false;  // the request goes over `flow`
    script::PeerFlow flow;
};

// RFC 5626 5.3.1: a flow other than the one that the request came over is the one that it goes to.
void read_flow(const Run& run, const sip::Uri& uri, Own& own) {
    if (!outbound::active() || own.has_flow) return;
    script::PeerFlow flow;
    const outbound::Token token = outbound::flow_of(uri, flow);
    own.broken = own.broken || token == outbound::Token::broken;
    if (token != outbound::Token::good || flow.is_from(run.inbound())) return;
    own.has_flow = true;
    own.flow = flow;
}

// Takes our own value off the top, and the second of a pair.
Own take_own(Run& run, RouteSet& routes, const How& how) {
    Own own;
    RouteValue* const top = routes.top();
    if (top == nullptr || !is_ours(*top)) return own;
    own.found = top->taken = true;
    remember(run, top->uri.params);
    if (how.flow_tokens) read_flow(run, top->uri, own);
    RouteValue* const second = has_param(top->uri, "r2") ? routes.top() : nullptr;
    if (second != nullptr && is_ours(*second) && has_param(second->uri, "r2")) {
        second->taken = true;
        if (how.flow_tokens) read_flow(run, second->uri, own);
        if (!own.has_flow) leave_by(run, second->uri, how);
    } else if (how.by_single && !own.has_flow) {
        leave_by(run, top->uri, how);
    }
    return own;
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

// The way on, after our own values.
int go_on(Run& run, RouteSet& routes, const Own& own) {
    const std::string behind = follow(run, routes);
    routes.apply(run, behind);
    if (const auto received = path::active() ? path::received_in(own_route_params(run)) : std::nullopt)
        run.set_destination_uri(*received);
    return own.has_flow && outbound::follow(run, own.flow) ? kByFlow : kRouted;
}

int after_strict_router(Run& run, RouteSet& routes, const How& how) {
    Own in_uri;
    if (const sip::Uri* const own = run.parsed_request_uri()) {
        remember(run, own->params);
        if (how.flow_tokens) read_flow(run, *own, in_uri);
    }
    RouteValue* const target = routes.last();
    if (!target->good) return kNotRouted;
    if (in_uri.broken) return kBrokenToken;
    target->taken = true;
    run.set_request_uri(target->address.uri);
    Own own = take_own(run, routes, how);  // the other of a pair
    if (own.broken) return kBrokenToken;
    if (in_uri.has_flow) own = in_uri;
    return go_on(run, routes, own);
}

}  // namespace

int loose_route(Run& run, const How& how) {
    static RouteSet routes;
    const sip::Message& message = run.message();
    if (!message.has(sip::HeaderId::route)) return kNotRouted;
    if (!routes.read(message) || routes.top() == nullptr) {
        LOG_AT_MOST(5, info, "rr.bad_route", kv("from", run.inbound().source.text()));
        return kNotRouted;
    }
    const bool in_dialog = is_in_dialog(message);
    if (how.which == Preloaded::only && in_dialog) return kNotRouted;
    if (in_dialog && how.strict && came_by_strict_router(run)) return after_strict_router(run, routes, how);
    const Own own = take_own(run, routes, how);
    // Who is not in a dialog and names others first wants to use us as a relay: the script decides.
    if (!own.found && !in_dialog) return kNotRouted;
    if (own.broken) return kBrokenToken;
    const bool only_ours = !in_dialog && routes.top() == nullptr;
    const int result = go_on(run, routes, own);
    return result == kRouted && only_ours ? kOnlyOurs : result;
}

std::string_view own_route_params(const Run& run) {
    return g_found.message == run.id() ? std::string_view(g_found.params) : std::string_view();
}

}  // namespace kahu::rr
