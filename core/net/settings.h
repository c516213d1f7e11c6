// core/net/settings.h -- the parameters of sockets and connections.  The table in settings.cpp is
// what the configuration parser, cfg.* and the manual read; this struct is what the engine reads.
#pragma once
#include <netinet/ip.h>

#include <span>

#include "core/module/descriptor.h"

namespace kahu::net {

struct Settings {
    // processes
    IntSetting children{8};      // UDP workers per socket
    IntSetting tcp_children{0};  // 0: as many as children
    IntSetting port{5060};
    IntSetting tls_port_no{5061};
    IntSetting disable_tcp{0};
    IntSetting enable_tls{0};
    IntSetting auto_aliases{1};
    IntSetting auto_bind_ipv6{0};
    IntSetting ip_free_bind{0};
    TextSetting advertised_address;  // of sockets that have none of their own
    IntSetting advertised_port{0};
    // limits
    IntSetting tcp_max_connections{2048};
    IntSetting tls_max_connections{2048};
    IntSetting tcp_accept_iplimit{0};  // 0: off
    IntSetting tcp_listen_backlog{1024};
    IntSetting tcp_conn_wq_max{32 * 1024};    // bytes
    IntSetting tcp_wq_max{10 * 1024 * 1024};  // bytes
    IntSetting tcp_rd_buf_size{16384};        // bytes; together with msg_recv_max_size bounds a message
    IntSetting msg_recv_max_size{65535};      // bytes
    // times
    IntSetting tcp_connection_lifetime{120};  // seconds
    IntSetting tcp_connect_timeout{10};       // seconds
    IntSetting tcp_send_timeout{10};          // seconds
    IntSetting tcp_msg_read_timeout{20};      // seconds from the first byte of a message to its last
    IntSetting tls_connection_timeout{600};   // seconds; what a TLS connection gets until its first message
    IntSetting tls_handshake_timeout{10};     // seconds
    // behaviour
    IntSetting tcp_accept_no_cl{0};
    IntSetting udp_mtu{0};  // bytes; 0: no datagram is too large
    TextSetting udp_mtu_try_proto{"UDP"};
    IntSetting tcp_accept_aliases{0};
    IntSetting tcp_accept_unique{0};
    IntSetting tcp_crlf_ping{1};
    IntSetting tcp_no_connect{0};
    IntSetting tcp_close_rst{0};
    IntSetting tcp_defer_accept{0};
    IntSetting tcp_delayed_ack{1};
    IntSetting tcp_keepalive{1};
    IntSetting tcp_keepidle{0};
    IntSetting tcp_keepintvl{0};
    IntSetting tcp_keepcnt{0};
    IntSetting tcp_syncnt{0};
    IntSetting tcp_linger2{0};
    IntSetting tcp_reuse_port{0};
    TextSetting tcp_source_ipv4, tcp_source_ipv6;  // what outgoing connections come from; empty: the listener's address
    IntSetting mhomed{0};
    IntSetting udp_receive_buffer{0};  // bytes; 0: the kernel's default
    IntSetting maxbuffer{0};           // bytes; the receive buffers of UDP sockets are made no smaller
    IntSetting maxsndbuffer{0};        // bytes; the same of their send buffers
    IntSetting pmtu_discovery{0};      // 0: datagrams may be fragmented on their way
    IntSetting tos{IPTOS_LOWDELAY};    // 0 to 255: what IP packets carry
    IntSetting socket_workers{0};      // only for its bounds: each stands for the listen= behind it
};
extern Settings settings;

std::span<const Param> net_params();
// tcp_children=, or children= where it is not given; at least 1.
int tcp_worker_count();

}  // namespace kahu::net
