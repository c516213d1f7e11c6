// rpc/commands.h -- the tables of commands that the server itself offers; one .cpp each.  Names, order and types of
// the fields are Kamailio 5.6.3's.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::rpc {

std::span<const Command> system_commands();      // system.*
std::span<const Command> server_commands();      // core.version uptime info arg echo modules ppdefines ...
std::span<const Command> process_commands();     // core.ps psx psa kill, corex.debug
std::span<const Command> memory_commands();      // core.shmmem, shm.*, pkg.*, mod.*, corex.shm_*
std::span<const Command> socket_commands();      // core.sockets_list aliases_list tcp_* udp4_raw_info, corex.list_*
std::span<const Command> dns_commands();         // dns.*
std::span<const Command> blocklist_commands();   // dst_blocklist.*
std::span<const Command> counter_commands();     // cnt.*
std::span<const Command> statistics_commands();  // stats.*
std::span<const Command> ctl_commands();         // ctl.*: the ctl module's

// Figures of memory and connections that stats.* shows beside the counters (core/stats/registry.h).
void register_computed_statistics();

}  // namespace kahu::rpc
