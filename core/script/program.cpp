#include "core/script/program.h"

#include <array>
#include <utility>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/module/latency.h"
#include "core/net/connect.h"
#include "core/net/settings.h"
#include "core/script/compiler.h"
#include "core/script/event_route.h"
#include "core/script/format.h"
#include "core/script/message_facts.h"
#include "core/script/onsend.h"
#include "core/script/outgoing.h"
#include "core/script/params.h"
#include "core/script/reply.h"
#include "core/script/routes.h"
#include "core/script/script_place.h"
#include "core/script/traffic_counters.h"
#include "core/script/transaction_layer.h"
#include "core/sip/validate.h"
#include "mem/contract.h"

namespace kahu::script {
namespace {

const Program* g_installed = nullptr;
TransactionLayer g_layer;
ReplyTaker g_reply_taker = nullptr;

// event_route[core:...] and [sl:local-response] of the installed program; -1: none.
struct EventRoutes {
    int received = -1, pre_routing = -1, parse_error = -1, local_response = -1;
};
EventRoutes g_events;
ScriptEndHandler g_script_end = nullptr;
int g_running = 0;  // routes, of whatever Run

// Of this process, reused for every message.
struct Workplace {
    sip::Message message;
    Run run;
};
Workplace& workplace() {
    static Workplace one;
    return one;
}

// Malformed messages are normal traffic: they are counted and answered; the log hears of some.
void log_malformed(const sip::Message& message, const net::Inbound& from, const sip::Validation& why,
                   const char* done) {
    static log::RateLimit limit(5);
    if (!log::enabled(log::Level::info) || !limit.allow()) return;
    LOG(info, "sip.malformed", kv("from", from.source.text()), kv("transport", name_of(from.transport)),
        kv("done", done), kv("status", why.status), kv("reason", why.reason), kv("rule", message.last_bad().rule),
        kv("at", message.last_bad().at), kv("suppressed", limit.suppressed()));
}

void refuse(const sip::Message& message, const net::Inbound& from, const sip::Validation& why) {
    const bool answer = why.verdict == sip::Verdict::reject;
    if (answer) reply_stateless(message, from, why.status, {.reason = why.reason}, params::force_rport != 0);
    log_malformed(message, from, why, answer ? "rejected" : "dropped");
    count_received(message, why);  // last: it asks for what was never looked at
}

// RFC 5923.
void note_alias(const sip::Message& request, const net::Inbound& from) {
    const sip::Via* const via = request.top_via();
    if (via == nullptr || !via->alias || net::settings.tcp_accept_aliases == 0) return;
    net::accept_alias(from.connection, via->bare_host(), via->port != 0 ? via->port : default_port(from.transport));
}

}  // namespace

namespace {

// For a message of its own: what the script left in `run` is not looked at.
void run_for(int route, const sip::Message& message, const net::Inbound& from, Run& run) {
    run.begin(message, from, kEventRoute);
    run.program = g_installed;
    g_installed->run_route(route, run);
}

// event_route[core:msg-received]: what came, before anything looks at it.  False: it said drop.
bool let_in(std::string_view bytes, const net::Inbound& from) {
    bool dropped = false;
    if (g_events.received >= 0) run_event_route("core:msg-received", from, nullptr, &dropped, bytes);
    return !dropped;
}

// event_route[core:pre-routing]: before request_route and reply_route.  False: it said drop.  REQUIRES: there is one.
bool before_routing(Run& run) {
    const RouteMask kind = run.kind();
    run.set_kind(kEventRoute);
    run.program = g_installed;
    g_installed->run_route(g_events.pre_routing, run);
    run.set_kind(kind);
    const bool dropped = run.flow == Flow::drop;
    run.flow = Flow::next;
    run.return_code = run.last_value = 1;
    if (dropped) count_dropped(run.is_request());
    return !dropped;
}

// event_route[core:receive-parse-error], for what begins like SIP and is refused before routing.
void tell_parse_error(const sip::Message& message, const net::Inbound& from, Run& run) {
    if (g_events.parse_error >= 0 && g_installed != nullptr && !message.start_line().empty())
        run_for(g_events.parse_error, message, from, run);
}

}  // namespace

void tell_local_response(std::string_view reply, const net::Inbound& from) {
    if (g_events.local_response < 0 || g_installed == nullptr) return;
    static sip::Message message;
    static Run run;
    sip::Bad bad;
    if (message.parse(reply, bad)) run_for(g_events.local_response, message, from, run);
}

Program::Program() : routes_(std::make_unique<Routes>()) {}
Program::~Program() {
    if (g_installed == this) g_installed = nullptr;
}

std::unique_ptr<Program> Program::compile(const config::Ast& ast, const Environment& environment,
                                          config::Diagnostics& found) {
    const size_t errors_before = found.errors();
    const Scope scope(environment.loaded, environment.available);
    std::unique_ptr<Program> program(new Program);
    script_place() = {&ast.defines, &scope, {}};
    traced_environment() = {environment.loaded, environment.available};
    if (tracer() != nullptr) traced_variables().clear();
    Compiler(ast, scope, *program->routes_, found).compile_routes();
    program->request_route_ = program->find_route(config::RouteKind::request, "");
    program->reply_route_ = program->find_route(config::RouteKind::reply, "");
    program->onsend_route_ = program->find_route(config::RouteKind::onsend, "");
    program->filtered_ack_route_ = program->find_route(config::RouteKind::event, "sl:filtered-ack");
    if (program->request_route_ < 0)
        found.error({}, "there is no request_route", "requests need one: request_route { ... }");
    const std::string& prefix = params::log_prefix.get();
    if (!prefix.empty()) {
        auto format = Format::compile(prefix, scope, "log_prefix");
        if (format) program->routes_->log_prefix = *format;
        else found.error({}, "log_prefix: " + format.error().what, format.error().hint);
    }
    script_place() = {};
    return found.errors() == errors_before ? std::move(program) : nullptr;
}

int Program::find_route(config::RouteKind kind, std::string_view name) const { return routes_->find(kind, name); }

const Format* Program::log_prefix() const { return routes_->log_prefix.get(); }

int Program::run_route(int route, Run& run) const {
    ++run.route_depth;
    ++g_running;
    run.last_value = 1;
    routes_->all[static_cast<size_t>(route)].body.run(run);
    --run.route_depth;
    if (--g_running == 0 && g_script_end != nullptr) g_script_end();
    if (run.flow == Flow::return_ || run.flow == Flow::break_) run.flow = Flow::next;
    return run.last_value;
}

void Program::run_main_route(int route, Run& run) const {
    if (!latency::watches_routes()) {
        run_route(route, run);
        return;
    }
    const latency::Micros began = latency::now();
    run_route(route, run);
    latency::tell_route(run.is_request() ? "request-route" : "reply-route", latency::now() - began);
}

void Program::handle(std::string_view bytes, const net::Inbound& from) const {
    if (!let_in(bytes, from)) return;
    Workplace& work = workplace();
    sip::Bad bad;
    const bool parsed = work.message.parse(bytes, bad);
    const sip::Validation verdict = sip::validate(work.message, parsed);
    if (verdict.verdict != sip::Verdict::accept) {
        tell_parse_error(work.message, from, work.run);
        return refuse(work.message, from, verdict);
    }
    count_received(work.message, verdict);
    const bool request = work.message.is_request();
    const int route = request ? request_route_ : reply_route_;
    const bool tell = g_events.pre_routing >= 0;
    if (tell) work.run.begin(work.message, from, request ? kRequestRoute : kReplyRoute);
    if (tell && !before_routing(work.run)) return;
    if (absorb_ack(work.message)) return filtered_ack(work.message, from, work.run);
    if (request && is_stream(from.transport)) note_alias(work.message, from);
    if (!tell) work.run.begin(work.message, from, request ? kRequestRoute : kReplyRoute);
    work.run.program = this;
    if (request) strip_own_maddr(work.run);
    if (route >= 0) run_main_route(route, work.run);
    if (request) {
        if (g_layer.request_done != nullptr) g_layer.request_done(work.run);
    } else if (work.run.flow == Flow::drop) {
        count_dropped(false);
    } else if (g_reply_taker != nullptr && g_reply_taker(work.run)) {
        return;
    } else if (g_layer.take_reply == nullptr || !g_layer.take_reply(work.run)) {
        forward_reply_stateless(work.run);
    }
}

void Program::filtered_ack(const sip::Message& ack, const net::Inbound& from, Run& run) const {
    if (filtered_ack_route_ < 0) return;
    run.begin(ack, from, kEventRoute);
    run.program = this;
    run_route(filtered_ack_route_, run);
}

void set_script_end_handler(ScriptEndHandler handler) { g_script_end = handler; }

bool has_event_route(std::string_view name) {
    return g_installed != nullptr && g_installed->find_route(config::RouteKind::event, name) >= 0;
}

bool run_event_route(std::string_view name, Run& run) {
    const int route = g_installed == nullptr ? -1 : g_installed->find_route(config::RouteKind::event, name);
    if (route < 0) return false;
    run.program = g_installed;
    g_installed->run_route(route, run);
    return true;
}

bool run_event_route(std::string_view name, bool* dropped) {
    static const net::Inbound nowhere;
    return run_event_route(name, nowhere, nullptr, dropped);
}

namespace {

const sip::Message& made_up_message() {
    constexpr std::string_view kOwn =
        "OPTIONS sip:kahu@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKevent\r\n"
        "From: <sip:kahu@127.0.0.1>;tag=event\r\nTo: <sip:kahu@127.0.0.1>\r\nCall-ID: event@127.0.0.1\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    static sip::Message message;
    static sip::Bad bad;
    static const bool good = message.parse(kOwn, bad);
    REQUIRE(good);
    return message;
}

}  // namespace

bool run_event_route(std::string_view name, const net::Inbound& about, const Sending* sending, bool* dropped,
                     std::string_view received) {
    if (!has_event_route(name)) return false;
    // What a route does may be an event, too: each of them has a Run of its own.
    static std::array<Run, 4> runs;
    static size_t running = 0;
    if (running == runs.size()) {
        LOG_AT_MOST(1, error, "script.events_nested", kv("route", name), kv("depth", running),
                    kv("effect", "the route does not run"));
        return false;
    }
    Run& run = runs[running++];
    run.begin(made_up_message(), about, kEventRoute);
    run.sending = sending;
    run.is_made_up = true;
    run.received = received;
    run_event_route(name, run);
    run.sending = nullptr;
    --running;
    if (dropped != nullptr) *dropped = run.flow == Flow::drop;
    return true;
}

bool has_onsend_route() { return g_installed != nullptr && g_installed->onsend_route_ >= 0; }

bool run_onsend_route(Run& run, const net::Destination& to, std::string_view bytes) {
    if (!has_onsend_route()) return true;
    const Sending sending{&to, bytes};
    const RouteMask kind = run.kind();
    const Flow flow = std::exchange(run.flow, Flow::next);
    const int return_code = run.return_code, last_value = run.last_value;
    const Program* const program = std::exchange(run.program, g_installed);
    run.sending = &sending;
    run.set_kind(kOnsendRoute);
    g_installed->run_route(g_installed->onsend_route_, run);
    const bool dropped = run.flow == Flow::drop;
    run.sending = nullptr;
    run.set_kind(kind);
    run.program = program;
    run.flow = flow, run.return_code = return_code, run.last_value = last_value;
    return !dropped;
}

void set_reply_taker(ReplyTaker taker) { g_reply_taker = taker; }
void set_transaction_layer(const TransactionLayer& layer) { g_layer = layer; }
const TransactionLayer& transaction_layer() { return g_layer; }

const Program* Program::installed() { return g_installed; }

void Program::install() const {
    g_installed = this;
    const auto event = [&](std::string_view name) { return find_route(config::RouteKind::event, name); };
    g_events = {params::received_route_mode != 0 ? event("core:msg-received") : -1, event("core:pre-routing"),
                event("core:receive-parse-error"), event("sl:local-response")};
    net::set_message_handler([](std::string_view bytes, const net::Inbound& from) {
        if (g_installed != nullptr) g_installed->handle(bytes, from);
    });
}

}  // namespace kahu::script
