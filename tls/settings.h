// tls/settings.h -- parameters of the tls module that several files read.  The table is in module.cpp; parameters of
// sessions, tickets, the shared memory and the channel are declared where they are used.
//
// LIVES  Static; integers move into the segment before the first fork (core/module/setting.h).
#pragma once
#include <string>
#include <vector>

#include "core/module/setting.h"
#include "tls/loader.h"

namespace kahu::tls {

extern TextSetting config;               // path of tls.cfg or of a directory; empty: the parameters below are the profile
extern TextSetting session_id;
extern IntSetting  tls_allow_obsolete;   // boolean
extern IntSetting  tls_log, tls_debug;   // log levels
extern IntSetting  tls_force_run;
extern IntSetting  ssl_release_buffers, ssl_freelist_max_len, ssl_max_send_fragment, ssl_read_ahead;
extern IntSetting  tls_disable_compression;
extern IntSetting  low_mem_threshold1, low_mem_threshold2;
extern IntSetting  ct_wq_max, con_ct_wq_max, ct_wq_blk_size;

// The directory of the main configuration file: what relative paths start from.  Set by core/app before Hooks::check.
void               set_main_config_directory(std::string directory);
const std::string& main_config_directory();

// What the module parameters say of [server:default]; their order in the file does not matter.
Domain&                   parameter_domain();
std::vector<std::string>& parameter_warnings();
// All of the above, and the TLS listeners: what load_configuration() takes.
LoadOptions load_options();

}  // namespace kahu::tls
