// core/modules/rr/module.cpp -- read this file to know what rr offers.
#include "core/modules/rr/module.h"

#include <memory>

#include "core/base/text.h"
#include "core/modules/outbound/api.h"
#include "core/modules/rr/loose_route.h"
#include "core/modules/rr/route_set.h"
#include "core/script/avp_param.h"
#include "core/script/function.h"
#include "core/script/regex_argument.h"
#include "core/script/run.h"
#include "core/sip/params.h"

namespace kahu::rr {
namespace {

using script::Args;
using script::Run;
using script::truth;

IntSetting g_enable_full_lr{0}, g_append_fromtag{1}, g_enable_double_rr{1}, g_add_username{0};
IntSetting g_socket_mismatch_warning{1}, g_force_send_socket{0}, g_ignore_sips{0}, g_sockname_mode{0};
TextSetting g_custom_user_avp{};
script::AvpParam g_custom_user(g_custom_user_avp);

constexpr int kTrue = 1, kFalse = -1, kOnlyOwn = -3;

// Goes into a URI between angle brackets: nothing may end it.
bool fits_into_uri(std::string_view text) { return text.find_first_of("<>\"\r\n \t,") == text.npos; }

// --- Record-Route ----------------------------------------------------------------------------------------
std::string_view base_params(Run& run, std::string_view added, std::string_view pending) {
    script::TextBuilder params(run.arena());
    params.append(g_enable_full_lr != 0 ? ";lr=on" : ";lr");
    const sip::NameAddr* const from = run.message().from();
    if (g_append_fromtag != 0 && from != nullptr && !from->tag.empty() && fits_into_uri(from->tag))
        params.append(";ftag=").append(from->tag);
    if (!added.empty()) params.append(added.front() == ';' ? "" : ";").append(added);
    return params.append(pending).take();
}

// custom_user_avp, else the Request-URI's.
std::string_view user_of(Run& run) {
    const std::string_view avp = g_custom_user.name();
    const Run::Avp* const custom = avp.empty() ? nullptr : run.avp(avp, 0);
    if (custom != nullptr && custom->value.is_text() && !custom->value.text.empty() &&
        fits_into_uri(custom->value.text))
        return custom->value.text;
    const sip::Uri* target = run.message().parsed_request_uri();
    if (target == nullptr || target->user.empty()) target = run.parsed_request_uri();
    return target == nullptr ? std::string_view() : target->user;
}

// RFC 5626 5.3: which flows the URIs have to lead back to.
void ask_for_flows(Run& run) {
    if (!outbound::active()) return;
    Run::RecordRoute& wanted = run.record_route;
    const outbound::Use use = outbound::use_of(run);
    if (use == outbound::Use::source || use == outbound::Use::forced) wanted.flow_in = outbound::token_for(run, use);
    if (use == outbound::Use::route) wanted.flow_out = outbound::token_for(run, use);
    wanted.flows_to = outbound::is_refused(run) ? script::Phone::no : script::Phone::registered;
}

int ask_for_record_route(Run& run, std::string_view added) {
    Run::RecordRoute& wanted = run.record_route;
    if (wanted.wanted || !fits_into_uri(added)) return kFalse;
    wanted.wanted = true;
    wanted.doubled = g_enable_double_rr != 0;
    wanted.params = base_params(run, added, wanted.params);
    wanted.ignore_sips = g_ignore_sips != 0;
    wanted.socket_names = g_sockname_mode != 0;
    wanted.always_doubled = g_enable_double_rr == 2;
    if (g_add_username != 0) wanted.user = run.arena().copy(user_of(run));
    else ask_for_flows(run);
    return kTrue;
}
int record_route(Run& run, const Args& args) { return ask_for_record_route(run, args.text(run, 0)); }

int record_route_preset(Run& run, const Args& args) {
    std::string_view presets[2];
    for (size_t i = 0; i < 2; ++i) {
        presets[i] = run.arena().copy(text::trim(args.text(run, i)));
        if (!fits_into_uri(presets[i])) return kFalse;
    }
    if (presets[0].empty() || ask_for_record_route(run, {}) != kTrue) return kFalse;
    run.record_route.presets[0] = presets[0];
    run.record_route.presets[1] = presets[1];
    run.record_route.doubled = !presets[1].empty();
    return kTrue;
}
int record_route_advertised(Run& run, const Args& args) {
    const std::string_view address = run.arena().copy(text::trim(args.text(run, 0)));
    if (address.empty() || !fits_into_uri(address) || ask_for_record_route(run, {}) != kTrue) return kFalse;
    run.record_route.advertised = address;
    return kTrue;
}
int remove_record_route(Run& run, const Args&) {
    run.record_route = {};
    return kTrue;
}

Status prepare_param(Args& args) {
    const script::Value* const text = args.constant(0);
    if (text == nullptr) return {};
    if (!text->is_text() || text->text.empty() || text->text.front() != ';' || !fits_into_uri(text->text))
        return Error{Errc::invalid, "not a URI parameter", "\";nat=yes\""};
    return {};
}
int add_rr_param(Run& run, const Args& args) {
    const std::string_view param = args.text(run, 0);
    if (param.empty() || param.front() != ';' || !fits_into_uri(param)) return kFalse;
    const std::string_view had = run.record_route.params;
    run.record_route.params = script::TextBuilder(run.arena()).append(had).append(param).take();
    return kTrue;
}

// --- Route -----------------------------------------------------------------------------------------------
How how_to_route() { return {.by_single = g_force_send_socket != 0, .socket_names = g_sockname_mode != 0}; }

int do_loose_route(Run& run, const Args&) { return loose_route(run, how_to_route()); }
int do_loose_route_preloaded(Run& run, const Args&) {
    How how = how_to_route();
    how.which = Preloaded::only;
    const int result = loose_route(run, how);
    return result == kOnlyOwn ? kTrue : result;
}
int do_loose_route_mode(Run& run, const Args& args) {
    const int64_t mode = args.number(run, 0);
    How how = how_to_route();
    how.strict = (mode & 1) == 0;
    how.flow_tokens = (mode & 2) == 0;
    return loose_route(run, how);
}

int check_route_param(Run& run, const Args& args) {
    const std::string_view params = own_route_params(run);
    if (params.empty()) return kFalse;
    const script::RegexPtr regex = script::regex_argument<0>(run, args);
    return truth(regex != nullptr && regex->matches(params));
}

Status prepare_direction(Args& args) {
    const script::Value* const direction = args.constant(0);
    if (direction == nullptr || direction->text == "downstream" || direction->text == "upstream") return {};
    return Error{Errc::invalid, "not a direction", "\"downstream\" or \"upstream\""};
}
// The tag of who sent the dialog's first request is in our Route value; it is From's as long as that side speaks.
// Without it the request goes downstream: it begins the dialog.
int is_direction(Run& run, const Args& args) {
    const auto ftag = sip::find_param(own_route_params(run), "ftag");
    const sip::NameAddr* const from = run.message().from();
    const bool downstream = !ftag || from == nullptr || ftag->value == from->tag;
    return truth(downstream == (args.text(run, 0) == "downstream"));
}

int has_next_hop_route(Run& run, const Args&) {
    static RouteSet routes;
    return truth(routes.read(run.message()) && !run.destination_uri().empty());
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;

const Function kFunctions[] = {
    {"record_route", 0, 1, "([string parameters])",
     "Further requests of the dialog come through here: adds Record-Route, two where sockets differ.", kRequests,
     record_route},
    {"record_route_preset", 1, 2, "(string address[, string second])",
     "As record_route(), with the given \"host:port;transport=tcp\" instead of our own.", kRequests,
     record_route_preset},
    {"record_route_advertised_address", 1, 1, "(string address)",
     "As record_route(), with the given \"host:port\" instead of that of the socket.", kRequests,
     record_route_advertised},
    {"remove_record_route", 0, 0, "()", "Takes record_route() back.", kRequests, remove_record_route},
    {"add_rr_param", 1, 1, "(string parameter)", "Adds \";name=value\" to the Record-Route of this request.", kRequests,
     add_rr_param, prepare_param},
    {"loose_route", 0, 0, "()",
     "True if Route headers say where the request goes: takes our own out and sets $du (RFC 3261 16.4).  2: over the "
     "flow that module outbound wrote into ours; -2: that token was tampered with, answer 403; -3: a request that "
     "begins "
     "a dialog named only us.",
     kRequests, do_loose_route},
    {"loose_route_preloaded", 0, 0, "()", "As loose_route(), only for requests that begin a dialog.", kRequests,
     do_loose_route_preloaded},
    {"loose_route_mode", 1, 1, "(int mode)",
     "As loose_route().  1: a Request-URI that is ours is no strict router's; 2: flow tokens are left alone.",
     kRequests, do_loose_route_mode},
    {"check_route_param", 1, 1, "(string regex)",
     "After loose_route(): true if the parameters of our Route match the pattern.", kAnyRoute, check_route_param,
     script::prepare_regex<0>, 1},
    {"is_direction", 1, 1, "(string direction)",
     "After loose_route(): \"downstream\" if the dialog's caller sent this request, \"upstream\" if the callee did.",
     kAnyRoute, is_direction, prepare_direction},
    {"rr_next_hop_route", 0, 0, "()", "True if a Route header says where the request goes next.", kRequests,
     has_next_hop_route},
};

script::Value first_route(Run& run, const script::VariableUse&) {
    RouteSet routes;
    const bool read = routes.read(run.message()) && routes.top() != nullptr;
    return script::Value::of(read ? run.arena().copy(routes.top()->address.uri) : std::string_view(""));
}
constexpr Variable kVariables[] = {{"route_uri", "URI of the topmost Route header; empty without one.", first_route}};

// clang-format off
const Param kParams[] = {
    {.name = "enable_full_lr", .kind = ParamKind::boolean, .number = &g_enable_full_lr,
     .help = "Writes ;lr=on instead of ;lr, for peers that cannot read it."},
    {.name = "append_fromtag", .kind = ParamKind::boolean, .number = &g_append_fromtag,
     .help = "Puts the From tag into Record-Route, for is_direction()."},
    {.name = "enable_double_rr", .number = &g_enable_double_rr, .min = 0, .max = 2,
     .help = "Two Record-Routes where a request leaves by another socket than it came by (RFC 5658); 2: always two."},
    {.name = "add_username", .kind = ParamKind::boolean, .number = &g_add_username,
     .help = "Puts the user of the Request-URI into Record-Route."},
    {.name = "enable_socket_mismatch_warning", .kind = ParamKind::boolean, .number = &g_socket_mismatch_warning,
     .help = "Accepted for compatibility.", .remark = "has no effect: sockets that differ are what two Record-Routes are for"},
    {.name = "force_send_socket", .kind = ParamKind::boolean, .number = &g_force_send_socket,
     .help = "One Route value of ours chooses the socket that the request leaves by; the second of a pair always does."},
    {.name = "ignore_sips", .kind = ParamKind::boolean, .number = &g_ignore_sips,
     .help = "Record-Route is a sip URI even if the Request-URI is a sips one."},
    {.name = "sockname_mode", .kind = ParamKind::boolean, .number = &g_sockname_mode,
     .help = "Names the socket in Record-Route (;sn=), and finds it by that name again."},
    {.name = "custom_user_avp", .kind = ParamKind::text, .text = &g_custom_user_avp, .accept = script::check_avp_param,
     .help = "AVP whose text add_username writes instead of the Request-URI's user."},
};
// clang-format on

Status check() {
    if (outbound::active() && g_add_username != 0)
        return Error{Errc::invalid, "add_username and module outbound both need the user of Record-Route",
                     "leave one of them out"};
    return {};
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "rr",
    .summary = "Record-Route and Route: keeps the requests of a dialog on their way.",
    .params = kParams,
    .functions = kFunctions,
    .variables = kVariables,
    .hooks = {.check = check},
    .description =
        "record_route() only notes the wish: the header is written when the outgoing socket is known, and becomes two "
        "headers marked ;r2=on when request and reply use different sockets or transports.\n\n"
        "loose_route() understands strict routers on both sides (RFC 3261 16.4, 16.6). A request that begins a dialog "
        "and whose topmost Route is not ours is left alone: the function is false and the script decides.",
};

}  // namespace kahu::rr
