// rpc/registry.h -- all RPC commands: those of every process's server and those of the loaded modules.
//
// WHY    A command is a row of its module's table (core/module/descriptor.h); whatever it is asked over finds it here.
// LIVES  Process-private; filled before the rpc process serves.  Rows are borrowed: the tables are constant.
// FAILS  Two commands of one name are a mistake of ours: register_commands() says which.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/module/descriptor.h"

namespace kahu::rpc {

Status register_commands(std::span<const Command> commands);
// Those that exist without any module: core.*, system.*, cnt.*, stats.*, mod.*, pkg.*, shm.*, corex.*.  Repeatable.
Status register_own_commands();

const Command* find_command(std::string_view name);  // nullptr: none
const std::vector<const Command*>& all_commands();   // sorted by name

// Runs the command that `call` names and leaves its answer there; "command X not found" is fault 500.
void execute(RpcCall& call);

}  // namespace kahu::rpc
