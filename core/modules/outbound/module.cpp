// core/modules/outbound/module.cpp -- read this file to know what outbound offers.
#include "core/modules/outbound/module.h"

#include "core/modules/outbound/api.h"
#include "core/modules/outbound/settings.h"
#include "core/script/function.h"

namespace kahu::outbound {

Settings settings;

namespace {

int uses_outbound(script::Run& run, const script::Args&) { return use_of(run) == Use::no ? -1 : 1; }

constexpr Function kFunctions[] = {
    {"use_outbound", 0, 0, "()", "Whether record_route() and add_path() put a flow token into this request.",
     kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute, uses_outbound},
};

constexpr int64_t kLastFlag = 31;
const Param kParams[] = {
    {.name = "force_outbound_flag",
     .number = &settings.force_flag,
     .min = -1,
     .max = kLastFlag,
     .help =
         "Message flag: the request gets a flow token, whatever it says of itself: a way that is preferred while the "
         "flow is there; -1: none."},
    {.name = "force_no_outbound_flag",
     .number = &settings.force_no_flag,
     .min = -1,
     .max = kLastFlag,
     .help = "Message flag: the request gets no flow token; -1: none."},
    {.name = "flow_token_secret",
     .kind = ParamKind::text,
     .text = &settings.secret,
     .help = "Tokens are signed with it, so that those of before a restart are known again; empty: with a random key."},
};

Status check() {
    activate();
    return {};
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "outbound",
    .summary = "Flow tokens: phones are reached over the connection they came by (RFC 5626 edge proxy).",
    .params = kParams,
    .functions = kFunctions,
    .hooks = {.check = check},
    .description =
        "With this module add_path() and record_route() write the flow that a request came over into our own URI, as a "
        "token that only this server can make: for a REGISTER with reg-id from its first hop, for a request whose "
        "Contact has ;ob from its first hop, for one that a Path with ;ob leads to a phone, and for whatever carries "
        "force_outbound_flag.  Where the phone that is called "
        "registered here over a connection, or with reg-id, its flow is written too, so that both sides of a call are "
        "reached over their own connections.\n\n"
        "loose_route() follows such a token: it is 2 then, and the request leaves over that flow only.  It is -2 for a "
        "token that is not ours: answer 403.  A connection that has ended makes t_relay() answer 430 Flow Failed.",
};

}  // namespace kahu::outbound
