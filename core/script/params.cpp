#include "core/script/params.h"

#include "core/script/program.h"
#include "core/script/run.h"

namespace kahu::script {
namespace params {

IntSetting max_while_loops{100};
IntSetting max_recursive_level{Run::kMaxRouteDepth};
IntSetting max_script_steps{1'000'000};
IntSetting max_branches{12};
IntSetting server_id{0};
IntSetting local_rport{0};
IntSetting force_rport{0};
IntSetting received_route_mode{0};
IntSetting onsend_route_reply{0};
IntSetting server_signature{1};
IntSetting sip_warning{0};
TextSetting server_header;
TextSetting user_agent_header;
TextSetting log_prefix;
TextSetting stats_name_separator{"_"};

}  // namespace params

namespace {

// A header line of ours: CR and LF would let the configuration split it into two.
Status one_line(const ParamValue& value) {
    if (const auto* text = std::get_if<std::string>(&value);
        text != nullptr && text->find_first_of("\r\n") != text->npos)
        return Error{Errc::invalid, "the value has a line end in it", "write one header line without CRLF"};
    return {};
}

Status a_separator(const ParamValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && text->size() <= 8 && text->find_first_of(": \t\r\n") == text->npos) return {};
    return Error{Errc::invalid, "no separator of names", "up to 8 characters without blanks and colons"};
}

const Param kParams[] = {
    {.name = "max_while_loops",
     .number = &params::max_while_loops,
     .min = 1,
     .max = 1'000'000'000,
     .unit = "rounds",
     .help = "How often the body of one while statement runs at most for one message.",
     .applies = Applies::at_runtime},
    {.name = "max_recursive_level",
     .number = &params::max_recursive_level,
     .min = 1,
     .max = 1'000'000,
     .unit = "calls",
     .help = "How deep route() may be called inside route(); more than 100 counts as 100.",
     .applies = Applies::at_runtime},
    {.name = "max_script_steps",
     .number = &params::max_script_steps,
     .min = 1000,
     .max = 1'000'000'000'000,
     .unit = "steps",
     .help = "Rounds of loops and calls of routes that one message may take together; then its script ends.",
     .applies = Applies::at_runtime},
    {.name = "max_branches",
     .number = &params::max_branches,
     .min = 1,
     .max = 31,
     .unit = "targets",
     .help = "How many targets one request may be sent to, the Request-URI's among them."},
    {.name = "server_id",
     .number = &params::server_id,
     .min = 0,
     .max = INT32_MAX,
     .help = "Number of this server, $sid; usrloc writes it into its rows, and may load its own rows alone."},
    {.name = "local_rport",
     .kind = ParamKind::boolean,
     .number = &params::local_rport,
     .min = 0,
     .max = 1,
     .help = "Our own Via asks for rport (RFC 3581) in every request: add_local_rport() for all."},
    {.name = "force_rport",
     .kind = ParamKind::boolean,
     .number = &params::force_rport,
     .min = 0,
     .max = 1,
     .help = "Replies go to the port that their request came from: force_rport() for all."},
    {.name = "received_route_mode",
     .kind = ParamKind::boolean,
     .number = &params::received_route_mode,
     .min = 0,
     .max = 1,
     .help =
         "Runs event_route[core:msg-received] for what came, before it is read: $rcv() has it, drop throws it away."},
    {.name = "onsend_route_reply",
     .kind = ParamKind::boolean,
     .number = &params::onsend_route_reply,
     .min = 0,
     .max = 1,
     .help =
         "Runs onsend_route for replies that are forwarded, too; one that it drops was received, and nobody is told."},
    {.name = "server_signature",
     .kind = ParamKind::boolean,
     .number = &params::server_signature,
     .min = 0,
     .max = 1,
     .help = "Whether replies of this server carry a Server header."},
    {.name = "server_header",
     .kind = ParamKind::text,
     .text = &params::server_header,
     .accept = one_line,
     .help = "The whole Server header of our replies, \"Server: My Proxy\"; empty means name and version."},
    {.name = "user_agent_header",
     .kind = ParamKind::text,
     .text = &params::user_agent_header,
     .accept = one_line,
     .help = "The whole User-Agent header of requests this server makes; empty means name and version."},
    {.name = "sip_warning",
     .kind = ParamKind::boolean,
     .number = &params::sip_warning,
     .min = 0,
     .max = 1,
     .help = "Whether replies carry a Warning header with the request's source and this process.",
     .applies = Applies::at_runtime},
    {.name = "log_prefix",
     .kind = ParamKind::text,
     .text = &params::log_prefix,
     .help = "Text with variables, put before each line that the routing script logs."},
    {.name = "stats_name_separator",
     .kind = ParamKind::text,
     .text = &params::stats_name_separator,
     .accept = a_separator,
     .help = "What stands between the parts of names of statistics that are put together: location_users."},
};

}  // namespace

std::span<const Param> script_params() { return kParams; }

}  // namespace kahu::script
