#include "core/modules/jsonrpcs/settings.h"

#include "rpc/ownership.h"
#include "rpc/server_facts.h"

namespace kahu::jsonrpcs {

Settings settings;

namespace {

template <rpc::FileOwnership Settings::*target>
Status accept_mode(const ParamValue& value) {
    return rpc::read_mode(value, (settings.*target).mode);
}
template <rpc::FileOwnership Settings::*target>
Status accept_user(const ParamValue& value) {
    return rpc::read_user(value, (settings.*target).user);
}
template <rpc::FileOwnership Settings::*target>
Status accept_group(const ParamValue& value) {
    return rpc::read_group(value, (settings.*target).group);
}

constexpr ParamKind kCustom = ParamKind::custom;
constexpr std::string_view kStarter = "who starts the server";

const Param kParams[] = {
    {.name = "pretty_format",
     .number = &settings.pretty_format,
     .min = 0,
     .max = 1,
     .help = "Answers with line ends and tabs, for readers; 0 puts them on one line.",
     .applies = Applies::at_runtime},
    {.name = "transport",
     .number = &settings.transport,
     .min = 0,
     .max = 15,
     .help = "What JSON-RPC is spoken over, as a sum: 2 FIFO, 4 datagrams; 0 means all. The bits 1 (HTTP) and 8 (TCP) "
             "are accepted and open nothing."},
    {.name = "fifo_name",
     .kind = ParamKind::text,
     .text = &settings.fifo_name,
     .help = "FIFO for requests; a name without a slash is in the run directory. Empty: kamailio_rpc.fifo for a "
             "configuration of Kamailio, else kahu_rpc.fifo."},
    {.name = "fifo_mode",
     .kind = kCustom,
     .accept = accept_mode<&Settings::fifo>,
     .help = "Permission bits of the FIFO.",
     .default_text = "0660"},
    {.name = "fifo_user",
     .kind = kCustom,
     .accept = accept_user<&Settings::fifo>,
     .help = "Owner of the FIFO, as name or number.",
     .default_text = kStarter},
    {.name = "fifo_group",
     .kind = kCustom,
     .accept = accept_group<&Settings::fifo>,
     .help = "Group of the FIFO, as name or number.",
     .default_text = kStarter},
    {.name = "fifo_reply_dir",
     .kind = ParamKind::text,
     .text = &settings.fifo_reply_dir,
     .help = "Directory in which clients make the FIFO that a request names in reply_name."},
    {.name = "dgram_socket",
     .kind = ParamKind::text,
     .text = &settings.dgram_socket,
     .help = "Unix datagram socket; a name without a slash is in the run directory. Or udp:host:port, on loopback "
             "addresses only. Empty: kamailio_rpc.sock for a configuration of Kamailio, else kahu_rpc.sock."},
    {.name = "dgram_mode",
     .kind = kCustom,
     .accept = accept_mode<&Settings::datagram>,
     .help = "Permission bits of the datagram socket.",
     .default_text = "0660"},
    {.name = "dgram_user",
     .kind = kCustom,
     .accept = accept_user<&Settings::datagram>,
     .help = "Owner of the datagram socket, as name or number.",
     .default_text = kStarter},
    {.name = "dgram_group",
     .kind = kCustom,
     .accept = accept_group<&Settings::datagram>,
     .help = "Group of the datagram socket, as name or number.",
     .default_text = kStarter},
    {.name = "dgram_workers",
     .number = &settings.dgram_workers,
     .min = 1,
     .max = 64,
     .help = "Kamailio: processes that serve the datagram socket.",
     .remark = "has no effect: the one rpc process serves everything"},
    {.name = "dgram_timeout",
     .number = &settings.dgram_timeout,
     .min = 1,
     .max = 1 << 30,
     .unit = "milliseconds",
     .help = "Kamailio: how long sending an answer may block.",
     .remark = "has no effect: sending never blocks"},
    {.name = "tcp_socket",
     .kind = ParamKind::text,
     .text = &settings.tcp_socket,
     .help = "Kamailio: address for JSON-RPC over TCP.",
     .remark = "has no effect: use the datagram socket, or binary RPC of module ctl"},
};

std::string standard_name(std::string_view ending) {
    return (rpc::server_facts().as_kamailio ? "kamailio_rpc." : "kahu_rpc.") + std::string(ending);
}
std::string in_run_directory(std::string name) {
    return name.find('/') != name.npos ? name : rpc::server_facts().run_directory + "/" + name;
}

}  // namespace

std::span<const Param> params() { return kParams; }

Result<rpc::Address> fifo_address() {
    const std::string& name = settings.fifo_name.get();
    return rpc::parse_address("fifo:" + in_run_directory(name.empty() ? standard_name("fifo") : name));
}

Result<rpc::Address> datagram_address() {
    const std::string& name = settings.dgram_socket.get();
    if (name.starts_with("udp:")) return rpc::parse_address(name);
    return rpc::parse_address("unixd:" + in_run_directory(name.empty() ? standard_name("sock") : name));
}

}  // namespace kahu::jsonrpcs
