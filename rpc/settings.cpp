#include "rpc/settings.h"

#include "rpc/ownership.h"
#include "rpc/server_facts.h"

namespace kahu::rpc {

Settings settings;
ServerFacts& server_facts() {
    static ServerFacts facts;
    return facts;
}

namespace {

Status accept_address(const ParamValue& value, bool fifo) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return Error{Errc::invalid, "expected a string", "as in \"unixs:/run/kahu/kahu_ctl\""};
    const bool bare = fifo && text->compare(0, 5, "fifo:") != 0;
    auto address = parse_address(bare ? "fifo:" + *text : *text);
    if (!address) return std::move(address).error();
    settings.addresses.push_back(std::move(*address));
    return {};
}
Status accept_binrpc(const ParamValue& value) { return accept_address(value, false); }
Status accept_fifo(const ParamValue& value) { return accept_address(value, true); }

Status accept_mode(const ParamValue& value) { return read_mode(value, settings.mode); }
Status accept_user(const ParamValue& value) { return read_user(value, settings.user); }
Status accept_group(const ParamValue& value) { return read_group(value, settings.group); }

constexpr ParamKind kCustom = ParamKind::custom;
constexpr std::string_view kNoEffect = "has no effect: there is no such limit";

const Param kParams[] = {
    {.name = "binrpc",
     .kind = kCustom,
     .accept = accept_binrpc,
     .help = "Address that binary RPC is spoken on: [unixs:|unixd:|tcp:|udp:|fifo:]name[:port], several by repetition. "
             "TCP and UDP are not encrypted and ask for no password: they are bound to loopback addresses only, unless "
             "remote is set.",
     .default_text = "unixs:<run directory>/kahu_ctl"},
    {.name = "fifo",
     .kind = kCustom,
     .accept = accept_fifo,
     .help = "Path of a FIFO: a line that names the reply FIFO and a binrpc request, or lines ':command:reply_fifo', "
             "parameters, empty line.",
     .default_text = "none"},
    {.name = "mode",
     .kind = kCustom,
     .accept = accept_mode,
     .help = "Permission bits of the unix sockets and FIFOs.",
     .default_text = "0600"},
    {.name = "user",
     .kind = kCustom,
     .accept = accept_user,
     .help = "Owner of the unix sockets and FIFOs, as name or number.",
     .default_text = "who starts the server"},
    {.name = "group",
     .kind = kCustom,
     .accept = accept_group,
     .help = "Group of the unix sockets and FIFOs, as name or number.",
     .default_text = "who starts the server"},
    {.name = "autoconversion",
     .kind = ParamKind::boolean,
     .number = &settings.autoconversion,
     .help = "Kamailio: numbers are taken where text is wanted, and the reverse.",
     .remark = "has no effect: parameters are always converted"},
    {.name = "binrpc_max_body_size",
     .number = &settings.body_kilobytes,
     .min = 1,
     .max = 1024,
     .unit = "KB",
     .help = "Longest request that is read.",
     .applies = Applies::at_runtime},
    {.name = "binrpc_struct_max_body_size",
     .number = &settings.struct_kilobytes,
     .min = 1,
     .max = 1 << 20,
     .unit = "KB",
     .help = "Kamailio: longest structure of an answer.",
     .remark = kNoEffect},
    {.name = "binrpc_buffer_size",
     .number = &settings.buffer_bytes,
     .min = 1,
     .max = 1 << 20,
     .unit = "bytes",
     .help = "Kamailio: size of its send buffer.",
     .remark = kNoEffect},
    {.name = "max_clients",
     .number = &settings.max_clients,
     .min = 1,
     .max = 4096,
     .unit = "connections",
     .help = "Stream connections served at a time. One more closes the one that was idle longest.",
     .applies = Applies::at_runtime},
    {.name = "idle_timeout",
     .number = &settings.idle_timeout,
     .min = 1,
     .max = 1 << 30,
     .unit = "seconds",
     .help = "A stream connection without a request for this long is closed.",
     .applies = Applies::at_runtime},
    {.name = "write_timeout",
     .number = &settings.write_timeout,
     .min = 1,
     .max = 3600,
     .unit = "seconds",
     .help = "A client that has an answer to read and reads nothing for this long is dropped.",
     .applies = Applies::at_runtime},
    {.name = "max_queue",
     .number = &settings.queue_kilobytes,
     .min = 64,
     .max = 1 << 20,
     .unit = "KB",
     .help = "When this much waits for a client to read it, its further requests wait too.",
     .applies = Applies::at_runtime},
    {.name = "remote",
     .kind = ParamKind::boolean,
     .number = &settings.remote,
     .help = "Lets tcp: and udp: be bound to addresses that other machines can reach. Whoever reaches them controls "
             "the server."},
};

}  // namespace

std::span<const Param> params() { return kParams; }

std::vector<Address> addresses() {
    if (!settings.addresses.empty()) return settings.addresses;
    const ServerFacts& facts = server_facts();
    Address standard;
    standard.name = facts.run_directory + (facts.as_kamailio ? "/kamailio_ctl" : "/kahu_ctl");
    return {standard};
}

}  // namespace kahu::rpc
