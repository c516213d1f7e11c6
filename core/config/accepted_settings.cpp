// Kamailio's core parameters that mean nothing here, so that configurations that set them start.
#include "core/config/apply_settings.h"

namespace kahu::config {
namespace {

constexpr std::string_view kMemory = "has no effect: the memory of the segment needs no tuning";
constexpr std::string_view kDns = "has no effect: names are resolved as RFC 3263 says";
constexpr std::string_view kBlocklist = "has no effect: the list of blocked destinations has a fixed size";
constexpr std::string_view kSctp = "has no effect: SCTP is not spoken";
constexpr std::string_view kScheduling = "has no effect: processes run under the system's own scheduler";
constexpr std::string_view kMulticast = "has no effect: there is no multicast";
constexpr std::string_view kRawUdp = "has no effect: UDP is sent through the sockets it is received on";
constexpr std::string_view kWorkers = "has no effect: workers need no such tuning";
constexpr std::string_view kLogFormat = "has no effect: log lines have one format";
constexpr std::string_view kTlsCore = "has no effect in the core: set it by modparam(\"tls\", ...) or in tls.cfg";
constexpr std::string_view kTlsProcesses =
    "has no effect: OpenSSL runs in processes without threads, so that it has nothing to work around";
constexpr std::string_view kTlsChoice = "has no effect: which connection is used again is decided without it";
constexpr std::string_view kUdpThreads = "has no effect: each UDP socket has `children` processes of its own";
constexpr std::string_view kTlsSending = "has no effect: set tcp_send_timeout, which is for TLS too";
constexpr std::string_view kTcpEngine = "has no effect: the connection engine works without it";
constexpr std::string_view kReplies =
    "has no effect: replies go back to where their requests came from (RFC 3261 18.2.2), not where those say";
constexpr std::string_view kScript = "has no effect: the routing script needs no such tuning";
constexpr std::string_view kOld = "is obsolete and has no effect";

// clang-format off
constexpr AcceptedSetting kAccepted[] = {
    {"memlog", kMemory}, {"mem_log", kMemory}, {"memdbg", kMemory}, {"mem_dbg", kMemory}, {"mem_dump_pkg", kMemory}, {"mem_dump_shm", kMemory},
    {"mem_join", kMemory}, {"mem_safety", kMemory}, {"mem_status_mode", kMemory}, {"mem_summary", kMemory},
    {"mem_add_size", kMemory},
    {"pkg_mem_size", kMemory}, {"modinit_delay", kMemory}, {"descriptors_realloc", kMemory},

    {"dns", kDns}, {"rev_dns", kDns}, {"dns_srv_lb", kDns},
    {"dns_srv_loadbalancing", kDns}, {"dns_udp_pref", kDns}, {"dns_udp_preference", kDns}, {"dns_tcp_pref", kDns},
    {"dns_tcp_preference", kDns}, {"dns_tls_pref", kDns}, {"dns_tls_preference", kDns}, {"dns_sctp_pref", kDns},
    {"dns_sctp_preference", kDns}, {"dns_servers_no", kDns},
    {"dns_search_full_match", kDns}, {"dns_naptr_ignore_rfc", kDns},
    {"dns_cache_init", kDns}, {"dns_cache_mem", kDns}, {"dns_cache_flags", kDns},
    {"dns_cache_gc_interval", kDns}, 
    {"dns_cache_del_nonexp", kDns}, {"dns_cache_delete_nonexpired", kDns},
    {"dns_cache_rec_pref", kDns}, 
    {"resolver_debug", kDns},

    {"use_dst_blacklist", kBlocklist}, {"dst_blocklist_init", kBlocklist},
    {"dst_blocklist_mem", kBlocklist}, {"dst_blocklist_gc_interval", kBlocklist},
    {"dst_blocklist_sctp_imask", kBlocklist}, {"dst_blacklist_init", kBlocklist}, {"dst_blacklist_mem", kBlocklist},
    {"dst_blacklist_expire", kBlocklist}, {"dst_blacklist_gc_interval", kBlocklist},

    {"enable_sctp", kSctp}, {"disable_sctp", kSctp}, {"sctp_children", kSctp}, {"sctp_support", kSctp},
    {"stun_refresh_interval", kOld}, {"stun_allow_stun", kOld}, {"stun_allow_fp", kOld},

    {"real_time", kScheduling}, {"rt_prio", kScheduling}, {"rt_policy", kScheduling}, {"rt_timer1_prio", kScheduling},
    {"rt_timer1_policy", kScheduling}, {"rt_timer2_prio", kScheduling}, {"rt_timer2_policy", kScheduling},
    {"rt_ftimer_prio", kScheduling}, {"rt_fast_timer_prio", kScheduling}, {"rt_stimer_prio", kScheduling}, {"rt_ftimer_policy", kScheduling},
    {"rt_stimer_policy", kScheduling}, {"fork_delay", kScheduling}, {"timer_sanity_check", kScheduling},

    {"mcast", kMulticast}, {"mcast_loopback", kMulticast}, {"mcast_ttl", kMulticast},

    {"udp4_raw", kRawUdp}, {"udp4_raw_mtu", kRawUdp}, {"udp4_raw_ttl", kRawUdp},
    {"udp_receiver_mode", kUdpThreads}, {"bind_ipv6_link_local", kRawUdp}, {"ipv6_hex_style", kRawUdp},

    {"async_workers", kWorkers}, {"async_workers_group", kWorkers}, {"async_nonblock", kWorkers}, {"async_usleep", kWorkers},
    {"async_tkv_evcb", kWorkers}, {"async_tkv_gname", kWorkers}, {"wait_worker1_mode", kWorkers},
    {"wait_worker1_time", kWorkers}, {"wait_worker1_usleep", kWorkers}, {"rpc_exec_delta", kWorkers},

    {"statistics", kOld}, {"verbose_startup", kLogFormat},

    {"log_color", kLogFormat}, {"log_prefix_mode", kLogFormat}, {"log_engine_type", kLogFormat},
    {"log_engine_data", kLogFormat}, {"local_log_level", kLogFormat}, {"local_log_facility", kLogFormat},
    {"corelog", kLogFormat}, {"core_log", kLogFormat}, {"sip_parser_log", kLogFormat},
    {"sip_parser_log_oneline", kLogFormat},

    {"tls_verify", kTlsCore}, {"tls_require_certificate", kTlsCore}, {"tls_certificate", kTlsCore},
    {"tls_private_key", kTlsCore}, {"tls_ca_list", kTlsCore}, {"tls_send_timeout", kTlsSending}, {"tlslog", kTlsCore},
    {"tls_log", kTlsCore}, {"tls_threads_mode", kTlsProcesses}, {"tls_connection_match_domain", kTlsChoice},

    {"tcp_async", kTcpEngine}, {"tcp_buf_write", kTcpEngine}, {"tcp_fd_cache", kTcpEngine}, {"tcp_poll_method", kTcpEngine},
    {"tcp_wq_blk_size", kTcpEngine}, {"tcp_wq_timeout", kTcpEngine}, {"tcp_wait_data", kTcpEngine},
    {"tcp_clone_rcvbuf", kTcpEngine}, {"tcp_check_timer", kTcpEngine}, {"tcp_connection_match", kTcpEngine},
    {"tcp_main_threads", kTcpEngine}, {"tcp_reactor_threads", kTcpEngine}, {"tcp_script_mode", kTcpEngine},
    {"tcp_opt_buf_write", kTcpEngine},
    {"tcp_opt_fd_cache", kTcpEngine}, {"tcp_accept_hep3", kTcpEngine}, {"tcp_accept_haproxy", kTcpEngine},
    {"tcp_accept_protocols", kTcpEngine}, {"http_reply_parse", kTcpEngine}, {"http_reply_hack", kTcpEngine},

    {"pv_buffer_size", kScript}, {"pv_buffer_slots", kScript}, {"pv_cache_limit", kScript}, {"pv_cache_action", kScript},
    {"var_name_pattern", kScript}, {"sip_parser_mode", kScript},
    {"xavp_via_params", kScript}, {"xavp_via_fields", kScript}, {"xavp_via_reply_params", kScript},
    {"route_locks_size", kScript}, {"return_mode", kScript}, {"msg_time", kScript},
    {"phone2tel", kScript}, {"uri_host_extra_chars", kScript}, {"hdr_name_extra_chars", kScript},
    {"version_table", kScript}, {"kemi", kScript}, {"event_route_mode", kScript},
    {"check_via", "has no effect: a reply whose top Via is another's is never forwarded"}, {"sql_buffer_size", "has no effect: statements have no such limit"},
    {"syn_branch", kOld}, {"sl_port", kOld}, {"reply_to_via", kReplies}, {"loop_checks", kOld},
    {"fifo", kOld}, {"fifo_db_url", kOld}, {"unix_sock", kOld}, {"anti_loop", kOld}, {"avp_aliases", kOld},
    {"core_dump", "has no effect: limits are the system's"},
};
// clang-format on

}  // namespace

std::span<const AcceptedSetting> accepted_settings() { return kAccepted; }

}  // namespace kahu::config
