#include "core/net/settings.h"

#include <algorithm>

#include "core/base/address.h"

namespace kahu::net {

Settings settings;

namespace {
constexpr Applies kRuntime = Applies::at_runtime;
using enum ParamKind;

Status an_address(const ParamValue& value) {
    const auto* address = std::get_if<std::string>(&value);
    if (address == nullptr || address->empty() || SocketAddress::parse_ip(*address)) return {};
    return Error{Errc::invalid, "'" + *address + "' is not an IP address", "use an address of this machine"};
}

// It is written into headers as it stands.
Status a_public_host(const ParamValue& value) {
    const auto* host = std::get_if<std::string>(&value);
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    if (host == nullptr || host->find_first_not_of(kAllowed) == host->npos) return {};
    return Error{Errc::invalid, "'" + *host + "' is no address and no host name", "as in \"sip.example.com\""};
}

Status disable_tls(const ParamValue& value) {
    const auto* off = std::get_if<int64_t>(&value);
    if (off == nullptr || *off < 0 || *off > 1) return Error{Errc::invalid, "expected yes or no", ""};
    settings.enable_tls.set(1 - *off);
    return {};
}

Status a_transport(const ParamValue& value) {
    const auto* name = std::get_if<std::string>(&value);
    if (name == nullptr || transport_named(*name)) return {};
    return Error{Errc::invalid, "'" + *name + "' is not a transport", "UDP, TCP or TLS"};
}

constexpr std::pair<std::string_view, int> kTypesOfService[] = {
    {"IPTOS_LOWDELAY", IPTOS_LOWDELAY},
    {"IPTOS_THROUGHPUT", IPTOS_THROUGHPUT},
    {"IPTOS_RELIABILITY", IPTOS_RELIABILITY},
    {"IPTOS_MINCOST", IPTOS_MINCOST},
};

Status a_type_of_service(const ParamValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value); number != nullptr && *number >= 0 && *number <= 255) {
        settings.tos.set(*number);
        return {};
    }
    const auto* name = std::get_if<std::string>(&value);
    for (const auto& [known, number] : kTypesOfService)
        if (name != nullptr && *name == known) {
            settings.tos.set(number);
            return {};
        }
    return Error{Errc::invalid, "tos: no such type of service",
                 "0 to 255, IPTOS_LOWDELAY, IPTOS_THROUGHPUT, IPTOS_RELIABILITY or IPTOS_MINCOST"};
}

// clang-format off
const Param kParams[] = {
    {.name = "children", .number = &settings.children, .min = 1, .max = 48, .unit = "processes",
     .help = "Worker processes for each UDP socket, and for all TCP and TLS connections unless tcp_children is given."},
    {.name = "tcp_children", .number = &settings.tcp_children, .min = 0, .max = 48, .unit = "processes",
     .help = "Worker processes that share the TCP and TLS connections; 0 takes the number of children."},
    {.name = "port", .number = &settings.port, .min = 1, .max = 65535,
     .help = "Port for UDP and TCP where listen= names none."},
    {.name = "tls_port_no", .number = &settings.tls_port_no, .min = 1, .max = 65535,
     .help = "Port for TLS where listen= names none."},
    {.name = "disable_tcp", .kind = boolean, .number = &settings.disable_tcp, .help = "Turns TCP and TLS off."},
    {.name = "enable_tls", .kind = boolean, .number = &settings.enable_tls,
     .help = "Turns TLS on; the tls module must be loaded."},
    {.name = "tls_enable", .kind = boolean, .number = &settings.enable_tls, .help = "The same as enable_tls."},
    {.name = "disable_tls", .kind = custom, .accept = disable_tls,
     .help = "The opposite of enable_tls; the last of them in the file counts."},
    {.name = "tls_disable", .kind = custom, .accept = disable_tls, .help = "The same as disable_tls."},
    {.name = "auto_aliases", .kind = boolean, .number = &settings.auto_aliases,
     .help = "Takes the names that the listening addresses resolve to as aliases, once, at start."},
    {.name = "ip_free_bind", .kind = boolean, .number = &settings.ip_free_bind,
     .help = "Listens on addresses that this machine does not have yet: `virtual` for every socket."},
    {.name = "ip_nonlocal_bind", .kind = boolean, .number = &settings.ip_free_bind, .help = "The same as ip_free_bind."},
    {.name = "ipfreebind", .kind = boolean, .number = &settings.ip_free_bind, .help = "The same as ip_free_bind."},
    {.name = "advertised_address", .kind = text, .text = &settings.advertised_address, .accept = a_public_host,
     .help = "What sockets without `advertise` of their own call themselves in Via and Record-Route: an address or a host name."},
    {.name = "advertised_port", .number = &settings.advertised_port, .min = 0, .max = 65535,
     .help = "Port that such sockets name there; 0: their own."},
    {.name = "auto_bind_ipv6", .kind = boolean, .number = &settings.auto_bind_ipv6,
     .help = "Also listens on all local IPv6 addresses when no listen= is given."},
    {.name = "tcp_max_connections", .number = &settings.tcp_max_connections, .min = 0, .max = 1000000, .unit = "connections",
     .help = "TCP and TLS connections open at a time; may be lowered and raised again, up to its value at start.", .applies = kRuntime},
    {.name = "tls_max_connections", .number = &settings.tls_max_connections, .min = 0, .max = 1000000, .unit = "connections",
     .help = "TLS connections open at a time; at the limit the oldest unfinished handshake gives way.", .applies = kRuntime},
    {.name = "tcp_accept_iplimit", .number = &settings.tcp_accept_iplimit, .min = 0, .max = 1000000, .unit = "connections",
     .help = "Connections open at a time from one source address; 0 is no limit.", .applies = kRuntime},
    {.name = "tcp_connection_limit_srcip", .number = &settings.tcp_accept_iplimit, .min = 0, .max = 1000000, .unit = "connections",
     .help = "The same as tcp_accept_iplimit.", .applies = kRuntime},
    {.name = "tcp_listen_backlog", .number = &settings.tcp_listen_backlog, .min = 1, .max = 65535, .unit = "connections",
     .help = "Connections that the kernel keeps until they are accepted."},
    {.name = "tcp_conn_wq_max", .number = &settings.tcp_conn_wq_max, .min = 1024, .max = 1 << 30, .unit = "bytes",
     .help = "Bytes queued for one connection whose peer does not take them, before a send fails.", .applies = kRuntime},
    {.name = "tcp_wq_max", .number = &settings.tcp_wq_max, .min = 4096, .max = int64_t{1} << 40, .unit = "bytes",
     .help = "Bytes queued for all connections together before a send fails.", .applies = kRuntime},
    {.name = "tcp_rd_buf_size", .number = &settings.tcp_rd_buf_size, .min = 512, .max = 16 << 20, .unit = "bytes",
     .help = "Largest SIP message on TCP and TLS if above msg_recv_max_size.", .applies = kRuntime},
    {.name = "msg_recv_max_size", .number = &settings.msg_recv_max_size, .min = 1024, .max = 16 << 20, .unit = "bytes",
     .help = "Largest SIP message that is accepted; a larger one on TCP or TLS is answered 513 and the connection closed.", .applies = kRuntime},
    {.name = "tcp_connection_lifetime", .number = &settings.tcp_connection_lifetime, .min = 1, .max = 1 << 24, .unit = "seconds",
     .help = "An idle connection is closed after this time; TLS connections too once a SIP message came over them.", .applies = kRuntime},
    {.name = "tcp_connect_timeout", .number = &settings.tcp_connect_timeout, .min = 1, .max = 3600, .unit = "seconds",
     .help = "Time for an outgoing connection to be made.", .applies = kRuntime},
    {.name = "tcp_send_timeout", .number = &settings.tcp_send_timeout, .min = 1, .max = 3600, .unit = "seconds",
     .help = "A peer that takes no bytes for this time while some are queued is closed.", .applies = kRuntime},
    {.name = "tcp_msg_read_timeout", .number = &settings.tcp_msg_read_timeout, .min = 1, .max = 3600, .unit = "seconds",
     .help = "Time from the first byte of a SIP message to its last.", .applies = kRuntime},
    {.name = "tcp_msg_data_timeout", .number = &settings.tcp_msg_read_timeout, .min = 1, .max = 3600, .unit = "seconds",
     .help = "The same as tcp_msg_read_timeout.", .applies = kRuntime},
    {.name = "tls_handshake_timeout", .number = &settings.tls_handshake_timeout, .min = 1, .max = 3600, .unit = "seconds",
     .help = "Time for a TLS handshake to end.", .applies = kRuntime},
    {.name = "tcp_accept_no_cl", .kind = boolean, .number = &settings.tcp_accept_no_cl,
     .help = "Accepts messages without Content-Length on TCP and TLS, taking them to have no body.", .applies = kRuntime},
    {.name = "tcp_accept_aliases", .kind = boolean, .number = &settings.tcp_accept_aliases,
     .help = "Honours ;alias in Via (RFC 5923) when a connection is looked up for sending.", .applies = kRuntime},
    {.name = "tcp_accept_unique", .kind = boolean, .number = &settings.tcp_accept_unique,
     .help = "Accepts one connection from a source address and port only.", .applies = kRuntime},
    {.name = "tcp_crlf_ping", .kind = boolean, .number = &settings.tcp_crlf_ping,
     .help = "Answers CRLF keep-alives (RFC 5626).", .applies = kRuntime},
    {.name = "tcp_no_connect", .kind = boolean, .number = &settings.tcp_no_connect, .help = "Never opens a connection.", .applies = kRuntime},
    {.name = "tcp_close_rst", .kind = boolean, .number = &settings.tcp_close_rst,
     .help = "Closes idle connections with a reset, so that no socket stays in TIME_WAIT.", .applies = kRuntime},
    {.name = "tcp_defer_accept", .number = &settings.tcp_defer_accept, .min = 0, .max = 3600, .unit = "seconds",
     .help = "The kernel hands a connection over only when data came, for so long at most; 0 is off."},
    {.name = "tcp_delayed_ack", .kind = boolean, .number = &settings.tcp_delayed_ack, .help = "Lets the kernel delay acknowledgements."},
    {.name = "tcp_keepalive", .kind = boolean, .number = &settings.tcp_keepalive, .help = "TCP keep-alive probes (SO_KEEPALIVE)."},
    {.name = "tcp_keepidle", .number = &settings.tcp_keepidle, .min = 0, .max = 32767, .unit = "seconds",
     .help = "Idle time before the first keep-alive probe; 0 is the kernel's."},
    {.name = "tcp_keepintvl", .number = &settings.tcp_keepintvl, .min = 0, .max = 32767, .unit = "seconds",
     .help = "Time between keep-alive probes; 0 is the kernel's."},
    {.name = "tcp_keepcnt", .number = &settings.tcp_keepcnt, .min = 0, .max = 127,
     .help = "Probes without an answer before the connection is dropped; 0 is the kernel's."},
    {.name = "tcp_syncnt", .number = &settings.tcp_syncnt, .min = 0, .max = 255, .help = "SYN retransmissions of outgoing connections; 0 is the kernel's."},
    {.name = "tcp_linger2", .number = &settings.tcp_linger2, .min = 0, .max = 3600, .unit = "seconds",
     .help = "Time an orphaned socket stays in FIN_WAIT2; 0 is the kernel's."},
    {.name = "tcp_reuse_port", .kind = boolean, .number = &settings.tcp_reuse_port, .help = "Sets SO_REUSEPORT on listening sockets."},
    {.name = "tcp_source_ipv4", .kind = text, .text = &settings.tcp_source_ipv4, .accept = an_address,
     .help = "Address that outgoing IPv4 connections come from; empty means that of the listening socket."},
    {.name = "tcp_source_ipv6", .kind = text, .text = &settings.tcp_source_ipv6, .accept = an_address,
     .help = "Address that outgoing IPv6 connections come from; empty means that of the listening socket."},
    {.name = "mhomed", .kind = boolean, .number = &settings.mhomed,
     .help = "Asks the kernel's routing table which listening address a peer is reached from.", .applies = kRuntime},
    {.name = "udp_mtu", .number = &settings.udp_mtu, .min = 0, .max = 65535, .unit = "bytes",
     .help = "A larger request goes over udp_mtu_try_proto instead of UDP (RFC 3261 18.1.1 says 1300); 0 is no limit.", .applies = kRuntime},
    {.name = "udp_mtu_try_proto", .kind = text, .text = &settings.udp_mtu_try_proto, .accept = a_transport,
     .help = "TCP or TLS: what requests larger than udp_mtu are sent over, to the same address and port; UDP changes nothing."},
    {.name = "udp_receive_buffer", .number = &settings.udp_receive_buffer, .min = 0, .max = 1 << 30, .unit = "bytes",
     .help = "Receive buffer of each UDP socket; 0 is the kernel's default."},
    {.name = "maxbuffer", .number = &settings.maxbuffer, .min = 0, .max = 1 << 30, .unit = "bytes",
     .help = "Receive buffers of UDP sockets that the kernel makes smaller are raised to this."},
    {.name = "maxsndbuffer", .number = &settings.maxsndbuffer, .min = 0, .max = 1 << 30, .unit = "bytes",
     .help = "Send buffers of UDP sockets that the kernel makes smaller are raised to this."},
    {.name = "pmtu_discovery", .kind = boolean, .number = &settings.pmtu_discovery,
     .help = "Sends datagrams with DF, so that the kernel learns the path's MTU and larger ones are lost; no lets routers fragment them."},
    {.name = "tos", .kind = custom, .accept = a_type_of_service,
     .help = "Type of service (DSCP) of the packets that are sent: 0 to 255, IPTOS_LOWDELAY (as long as it is not given), IPTOS_THROUGHPUT, IPTOS_RELIABILITY or IPTOS_MINCOST."},
    {.name = "socket_workers", .number = &settings.socket_workers, .min = 1, .max = 48, .unit = "processes",
     .help = "Worker processes of the UDP socket that the next listen= names, instead of children. TCP and TLS sockets share theirs (tcp_children)."},
};
// clang-format on

}  // namespace

std::span<const Param> net_params() { return kParams; }

int tcp_worker_count() {
    const int64_t wanted = settings.tcp_children != 0 ? settings.tcp_children : settings.children;
    return static_cast<int>(std::max<int64_t>(1, wanted));
}

}  // namespace kahu::net
