#include "rpc/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "core/base/log.h"
#include "core/base/text.h"
#include "rpc/commands.h"

namespace kahu::rpc {
namespace {

std::vector<const Command*> g_commands;

std::vector<const Command*>::iterator place_of(std::string_view name) {
    return std::lower_bound(g_commands.begin(), g_commands.end(), name,
                            [](const Command* c, std::string_view wanted) { return c->name < wanted; });
}

}  // namespace

Status register_commands(std::span<const Command> commands) {
    for (const Command& command : commands) {
        const auto at = place_of(command.name);
        if (at == g_commands.end() || (*at)->name != command.name) g_commands.insert(at, &command);
        else if (*at != &command)
            return Error{Errc::exists, fmt::format("two RPC commands are named {}", command.name), ""};
    }
    return {};
}

Status register_own_commands() {
    for (const auto table :
         {system_commands(), server_commands(), process_commands(), memory_commands(), socket_commands(),
          dns_commands(), blocklist_commands(), counter_commands(), statistics_commands()})
        if (Status registered = register_commands(table); !registered) return registered;
    register_computed_statistics();
    return {};
}

const Command* find_command(std::string_view name) {
    const auto at = place_of(name);
    return at != g_commands.end() && (*at)->name == name ? *at : nullptr;
}

const std::vector<const Command*>& all_commands() { return g_commands; }

void execute(RpcCall& call) {
    const Command* command = find_command(call.method());
    if (command == nullptr) {
        // As it came, but printable: it goes to a terminal.
        call.fault(500, fmt::format("command {} not found", text::printable(call.method())));
        return;
    }
    LOG(debug, "rpc.command", kv("command", command->name), kv("client", call.client), kv("parameters", call.params()));
    try {
        command->call(call);
    } catch (const std::exception& unexpected) {
        LOG(error, "rpc.command_threw", kv("command", command->name), kv("reason", unexpected.what()));
        call.fault(500, "internal error, see the log");
    }
    if (call.faulted())
        LOG(debug, "rpc.fault", kv("command", command->name), kv("code", call.faulted()->first),
            kv("reason", call.faulted()->second));
}

}  // namespace kahu::rpc
