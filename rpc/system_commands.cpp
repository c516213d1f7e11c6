#include <fmt/format.h>

#include "rpc/commands.h"
#include "rpc/registry.h"
#include "rpc/server.h"

namespace kahu::rpc {
namespace {

void list_methods(RpcCall& call) {
    for (const Command* command : all_commands()) call.add(command->name);
}

const Command* wanted_command(RpcCall& call) {
    if (!call.more()) {
        call.fault(400, "Method Name Expected");
        return nullptr;
    }
    const auto name = call.next_text();
    const Command* command = name ? find_command(*name) : nullptr;
    if (name && command == nullptr) call.fault(400, "command not found");
    return command;
}
void method_help(RpcCall& call) {
    if (const Command* command = wanted_command(call)) call.add(command->help);
}
void method_signature(RpcCall& call) {
    if (const Command* command = wanted_command(call))
        call.add(fmt::format("{}{}{}", command->name, command->args.empty() ? "" : " ", command->args));
}

constexpr Command kSystem[] = {
    {"system.listMethods", "", "Lists the names of all RPC commands.", list_methods},
    {"system.methodHelp", "command", "Tells what a command does.", method_help},
    {"system.methodSignature", "command", "Shows the parameters of a command; those in brackets may be left out.",
     method_signature},
};

// --- ctl.* -----------------------------------------------------------------------------------------

// Protocol, transport, name, port: four values each, as ctl.who and ctl.listen always had them.
void add_end(RpcCall& call, const Address& address) {
    call.add(address.name);
    call.add(address.is_path() ? std::string() : std::to_string(address.port));
}

void who(RpcCall& call) {
    if (sessions().empty()) return call.fault(400, "no open stream connection");
    for (const auto& session : sessions()) {
        call.add("binrpc");
        call.add(listed_name(session->listening().kind));
        call.add(session->peer_name());
        call.add(session->peer_port());
        add_end(call, session->listening());
    }
}

void connections(RpcCall& call) { call.add(sessions().size()); }

void listen(RpcCall& call) {
    for (const ListenSocket& socket : listening()) {
        call.add(socket.address.kind == AddressKind::fifo ? "fifo" : "binrpc");
        call.add(listed_name(socket.address.kind));
        add_end(call, socket.address);
    }
}

constexpr Command kCtl[] = {
    {"ctl.connections", "", "Counts the open stream connections of RPC clients.", connections},
    {"ctl.listen", "", "Lists where RPC is spoken: protocol, transport, name, port.", listen},
    {"ctl.who", "",
     "Lists the open stream connections: protocol, transport, client's name and port, our name and port.", who},
};

}  // namespace

std::span<const Command> system_commands() { return kSystem; }
std::span<const Command> ctl_commands() { return kCtl; }

}  // namespace kahu::rpc
