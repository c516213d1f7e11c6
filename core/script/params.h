// core/script/params.h -- core parameters about scripts and replies, as the interpreter reads them.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::script::params {

extern IntSetting max_while_loops;
extern IntSetting max_recursive_level;
extern IntSetting max_script_steps;
extern IntSetting max_branches;
extern IntSetting server_id;
extern IntSetting local_rport;
extern IntSetting force_rport;
extern IntSetting received_route_mode;
extern IntSetting onsend_route_reply;
extern IntSetting server_signature;
extern IntSetting sip_warning;
extern TextSetting server_header;
extern TextSetting user_agent_header;
extern TextSetting log_prefix;
extern TextSetting stats_name_separator;

}  // namespace kahu::script::params
