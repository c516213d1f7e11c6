// tls/settings.h -- parameters of the tls module that several files read.  The table is in module.cpp; parameters of
// sessions, tickets, the shared memory and the channel are declared where they are used.
//
// LIVES  Static; integers move into the segment before the first fork (core/module/setting.h).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/module/setting.h"
#include "tls/loader.h"

namespace kahu::tls {

extern TextSetting config;  // path of tls.cfg or of a directory; empty: the parameters below are the profile
extern TextSetting session_id;
extern IntSetting tls_allow_obsolete;  // boolean
extern IntSetting tls_log, tls_debug;  // log levels
extern IntSetting tls_force_run;
extern IntSetting ssl_release_buffers, ssl_freelist_max_len, ssl_max_send_fragment, ssl_read_ahead;
extern IntSetting tls_disable_compression;
extern IntSetting low_mem_threshold1, low_mem_threshold2;
extern IntSetting ct_wq_max, con_ct_wq_max, ct_wq_blk_size;

// The directory of the main configuration file: what relative paths start from.  Set by core/app before Hooks::check.
void set_main_config_directory(std::string directory);

// One of the module's parameters that describe a profile; their order in the file does not matter.
void set_profile_parameter(std::string_view attribute, std::string_view value);
// What they say of [server:default], for tls.options.  Values that are not valid are left out.
Domain parameter_domain();

// All of the above, and the TLS listeners: what load_configuration() takes.  FAILS with the parameter that is not
// valid.
Result<LoadOptions> load_options(std::vector<std::string>& warnings);

}  // namespace kahu::tls
