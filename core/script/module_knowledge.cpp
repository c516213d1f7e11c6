#include "core/script/module_knowledge.h"

#include <span>

namespace kahu::script {
namespace {

struct Row {
    std::string_view module;
    std::string_view names;  // separated by blanks
};

// clang-format off
constexpr Row kFunctions[] = {
    {"the core", "set_forward_close set_reply_close "
                 "append_branch remove_branch clear_branches isdsturiset setbflag resetbflag isbflagset setsflag resetsflag "
                 "issflagset set_advertised_address set_advertised_port avpflags exec "
                 "udp_mtu_try_proto selval"},
    {"tm", "t_relay t_relay_to t_relay_to_udp t_relay_to_tcp t_relay_to_tls t_relay_cancel t_newtran t_reply t_lookup_request "
           "t_lookup_cancel t_check_trans t_on_branch t_on_failure t_on_reply t_on_branch_failure t_is_set t_is_canceled "
           "t_is_expired t_check_status t_any_timeout t_any_replied t_grep_status t_any_to_any t_release t_retransmit_reply "
           "t_set_fr t_reset_fr t_set_retr t_reset_retr t_set_max_lifetime t_set_auto_inv_100 t_set_disable_6xx "
           "t_set_disable_failover t_set_disable_internal_reply t_set_no_e2e_cancel_reason t_branch_timeout t_branch_replied "
           "t_is_failure_route t_is_branch_route t_is_reply_route t_is_request_route t_save_lumps t_load_contacts "
           "t_next_contacts t_next_contact_flow t_get_status_code t_use_uac_headers t_replicate t_forward_nonack t_drop_replies"},
    {"tmx", "t_precheck_trans t_cancel_branches t_cancel_callid t_reply_callid t_flush_flags t_flush_xflags t_drop t_suspend "
            "t_continue t_reuse_branch t_uac_send t_is_retr_async"},
    {"rr", "record_route record_route_preset record_route_advertised_address loose_route loose_route_preloaded add_rr_param "
           "check_route_param is_direction remove_record_route rr_next_hop_route"},
    {"registrar", "save lookup lookup_to_dset lookup_branches registered unregister add_sock_hdr reg_fetch_contacts "
                  "reg_free_contacts reg_send_reply reg_from_user is_registered"},
    {"auth", "auth_challenge pv_www_authenticate pv_proxy_authenticate pv_auth_check consume_credentials auth_get_www_authenticate "
             "www_challenge proxy_challenge has_credentials"},
    {"auth_db", "auth_check www_authenticate proxy_authenticate is_subscriber"},
    {"nathelper", "nat_uac_test fix_nated_contact fix_nated_register fix_nated_sdp add_rcv_param add_contact_alias "
                  "handle_ruri_alias set_contact_alias is_rfc1918 set_alias_to_pv"},
    {"rtpengine", "rtpengine_manage rtpengine_offer rtpengine_answer rtpengine_delete start_recording stop_recording "
                  "set_rtpengine_set rtpengine_query"},
    {"rtpproxy", "rtpproxy_manage rtpproxy_offer rtpproxy_answer rtpproxy_destroy unforce_rtp_proxy set_rtp_proxy_set"},
    {"sanity", "sanity_check sanity_reply"},
    {"acc", "acc_log_request acc_db_request acc_request"},
    {"pike", "pike_check_req pike_check_ip"},
    {"htable", "sht_print sht_rm sht_rm_name sht_rm_name_re sht_rm_value_re sht_lock sht_unlock sht_reset sht_iterator_start "
               "sht_iterator_next sht_iterator_end sht_match_name sht_has_name sht_is_null"},
    {"permissions", "allow_routing allow_register allow_uri allow_address allow_source_address allow_trusted "
                    "allow_address_group allow_source_address_group"},
    {"alias_db", "alias_db_lookup alias_db_find"},
    {"speeddial", "sd_lookup"},
    {"domain", "is_from_local is_uri_host_local is_domain_local lookup_domain"},
    {"presence", "handle_publish handle_subscribe pres_auth_status pres_refresh_watchers"},
    {"dispatcher", "ds_select ds_select_dst ds_select_domain ds_select_routes ds_next_dst ds_next_domain ds_mark_dst ds_is_from_list "
                   "ds_load_update ds_load_unset"},
    {"dialog", "dlg_manage dlg_bye dlg_refer dlg_isflagset dlg_setflag dlg_resetflag is_known_dlg dlg_get set_dlg_profile "
               "unset_dlg_profile get_profile_size is_in_profile dlg_set_timeout"},
    {"dlgs", "dlgs_init dlgs_update dlgs_find dlgs_count dlgs_tags_add dlgs_tags_rm dlgs_tags_count"},
    {"xhttp", "xhttp_reply xhttp_drop"},
    {"jsonrpcs", "jsonrpc_dispatch jsonrpc_exec"},
    {"corex", "append_branch_iflags send_udp send_tcp forward_uac has_ruri_user has_user_agent set_recv_socket set_source_address "
              "set_send_socket set_send_socket_name isxflagset setxflag resetxflag sendx msg_iflag_set file_read file_write "
              "is_socket_name via_add_srvid isdsturiset"},
    {"textopsx", "msg_apply_changes keep_hf change_reply_status remove_body fnmatch hf_value_exists include_hf_value "
                 "exclude_hf_value append_hf_value insert_hf_value remove_hf_value assign_hf_value hf_iterator_start "
                 "hf_iterator_next hf_iterator_end bl_iterator_start bl_iterator_next msg_set_buffer"},
    {"textops", "remove_hf remove_hf_re remove_hf_exp append_hf insert_hf append_urihf append_time append_time_to_request "
                "subst subst_uri subst_user subst_body subst_hf subst_v replace replace_all replace_body replace_hdrs "
                "replace_body_all replace_body_atonce replace_str replace_body_str set_body set_reply_body append_body_part "
                "remove_body_part get_body_part filter_body set_multibody msgbuf_set cmp_hf"},
    {"siputils", "ring_insert_callid encode_contact decode_contact decode_contact_header contact_param_encode "
                 "contact_param_decode sip_p_charging_vector append_rpid_hf tel2sip add_uri_param options_reply"},
    {"sl", "sl_forward_reply"},
    {"uac", "uac_replace_from uac_replace_to uac_restore_from uac_restore_to uac_auth uac_req_send uac_reg_lookup"},
    {"sqlops", "sql_query sql_xquery sql_pvquery sql_result_free"},
    {"http_client", "http_client_query http_connect"},
    {"websocket", "ws_handle_handshake ws_close"},
    {"outbound", "use_outbound"}, {"path", "add_path add_path_received"},
    {"enum", "enum_query enum_pv_query is_from_user_enum i_enum_query"},
    {"ratelimit", "rl_check rl_check_pipe"}, {"pipelimit", "pl_check pl_drop"},
    {"mtree", "mt_match"}, {"prefix_route", "prefix_route"}, {"sipcapture", "sip_capture"}, {"siptrace", "sip_trace"},
    {"topoh", "th_store"}, {"sdpops", "sdp_content sdp_get sdp_remove_codecs_by_id sdp_keep_codecs_by_name"},
    {"stun", "stun_check"}, {"msilo", "m_store m_dump"}, {"ldap", "ldap_search ldap_result"},
};
// What else Debian's packages of Kamailio 5.6 have: only to be named.
constexpr Row kMoreFunctions[] = {
    {"acc_diameter", "acc_diam_request"},
    {"async", "async_route async_ms_route async_sleep async_ms_sleep async_task_route async_task_group_route "
              "async_task_data async_task_group_data"},
    {"auth_diameter", "diameter_www_authorize diameter_proxy_authorize diameter_is_user_in"},
    {"auth_identity", "auth_date_proc auth_add_identity vrfy_get_certificate vrfy_check_msgvalidity "
                      "vrfy_check_certificate vrfy_check_date vrfy_check_callid"},
    {"auth_xkeys", "auth_xkeys_add auth_xkeys_check"},
    {"avp", "set_iattr set_sattr set_attr print_attr del_attr del_attrs subst_attr flags2attr attr2uri dump_attrs "
            "attr_equals attr_exists attr_equals_xl xlset_attr xlfix_attr insert_attr_hf append_attr_hf "
            "replace_attr_hf attr_to_reply attr_destination xlset_destination hdr_body2attrs hdr_body2attrs2"},
    {"avpops", "avp_print avp_db_load avp_db_delete avp_db_store avp_db_query avp_delete avp_copy avp_pushto "
               "avp_check avp_op avp_subst avp_subst_pv is_avp_set"},
    {"benchmark", "bm_start_timer bm_log_timer"},
    {"blst", "blst_add blst_add_retry_after blst_del blst_is_blocklisted blst_set_ignore blst_clear_ignore "
             "blst_rpl_set_ignore blst_rpl_clear_ignore"},
    {"call_control", "call_control"},
    {"call_obj", "call_obj_get call_obj_free"},
    {"carrierroute", "cr_user_carrier cr_route cr_nofallback_route cr_next_domain"},
    {"cfgutils", "rand_set_prob rand_reset_prob rand_get_prob rand_event sleep usleep abort pkg_status shm_status "
                 "pkg_summary shm_summary set_gflag reset_gflag is_gflag lock unlock trylock core_hash "
                 "check_route_exists route_if_exists"},
    {"corex", "forward_reply send_data is_incoming msg_iflag_reset msg_iflag_is_set set_recv_socket_name "
              "via_add_xavp_params via_use_xavp_fields is_faked_msg"},
    {"crypto", "crypto_aes_encrypt crypto_aes_decrypt crypto_netio_in crypto_netio_out crypto_netio_encrypt "
               "crypto_netio_decrypt crypto_hmac_sha256"},
    {"debugger", "dbg_breakpoint dbg_pv_dump dbg_sip_msg"},
    {"dialog", "dlg_bridge dlg_set_timeout_by_profile dlg_set_property dlg_reset_property dlg_remote_profile "
               "dlg_set_ruri dlg_db_load_callid dlg_db_load_extra"},
    {"dialplan", "dp_translate dp_reload dp_match dp_replace"},
    {"dispatcher", "ds_set_dst ds_set_domain ds_list_exist ds_list_exists ds_is_active ds_reload"},
    {"diversion", "add_diversion"},
    {"dmq", "dmq_handle_message dmq_process_message dmq_send_message dmq_bcast_message dmq_t_replicate "
            "dmq_is_from_node"},
    {"domainpolicy", "dp_can_connect dp_apply_policy"},
    {"drouting", "do_routing use_next_gw next_routing is_from_gw goes_to_gw"},
    {"exec", "exec_dset exec_msg exec_avp exec_cmd"},
    {"group", "is_user_in get_user_group"},
    {"htable", "sht_iterator_rm sht_iterator_sets sht_iterator_seti sht_iterator_setex"},
    {"imc", "imc_manager"},
    {"ipops", "is_ip is_pure_ip is_ipv4 is_ipv6 is_ipv6_reference ip_type detailed_ipv4_type detailed_ipv6_type "
              "detailed_ip_type compare_ips compare_pure_ips is_ip_rfc1918 is_in_subnet dns_sys_match_ip "
              "dns_int_match_ip dns_query srv_query naptr_query dns_set_local_ttl"},
    {"keepalive", "ka_is_alive ka_add_destination ka_del_destination"},
    {"lcr", "next_gw defunct_gw inactivate_gw from_gw from_any_gw to_gw to_any_gw"},
    {"log_custom", "log_udp"},
    {"lrkproxy", "set_lrkproxy_set lrkproxy_manage"},
    {"mangler", "sdp_mangle_ip sdp_mangle_port"},
    {"matrix", "matrix"},
    {"maxfwd", "maxfwd_process maxfwd_at_least mf_lowlimit"},
    {"mediaproxy", "engage_media_proxy use_media_proxy end_media_session"},
    {"mohqueue", "mohq_count mohq_process mohq_retrieve mohq_send"},
    {"mqueue", "mq_fetch mq_add mq_pv_free mq_size"},
    {"msrp", "msrp_relay msrp_reply msrp_is_request msrp_is_reply msrp_set_dst msrp_relay_flags msrp_reply_flags "
             "msrp_cmap_save msrp_cmap_lookup"},
    {"nat_traversal", "nat_keepalive fix_contact client_nat_test"},
    {"pdb", "pdb_query"},
    {"pdt", "prefix2domain pd_translate"},
    {"pipelimit", "pl_active"},
    {"pv", "pv_var_to_xavp pv_xavp_to_var xavp_copy xavp_rm xavi_rm sbranch_set_ruri sbranch_append sbranch_reset "
           "pv_evalx"},
    {"pv_headers", "pvh_collect_headers pvh_apply_headers pvh_reset_headers pvh_check_header pvh_append_header "
                   "pvh_modify_header pvh_remove_header pvh_header_param_exists pvh_remove_header_param"},
    {"regex", "pcre_match pcre_match_group"},
    {"rtjson", "rtjson_init_routes rtjson_push_routes rtjson_next_route rtjson_update_branch"},
    {"rtpengine", "block_dtmf unblock_dtmf block_media unblock_media silence_media unsilence_media start_forwarding "
                  "stop_forwarding play_media stop_media play_dtmf rtpengine_info rtpengine_query_v"},
    {"rtpproxy", "rtpproxy_stream2uac rtpproxy_stream2uas rtpproxy_stop_stream2uac rtpproxy_stop_stream2uas"},
    {"sca", "sca_handle_subscribe sca_call_info_update"},
    {"sdpops", "sdp_remove_line_by_prefix sdp_remove_codecs_by_name sdp_keep_codecs_by_id sdp_with_media "
               "sdp_with_active_media sdp_remove_media sdp_with_transport sdp_with_transport_like "
               "sdp_remove_transport sdp_transport sdp_with_codecs_by_id sdp_with_codecs_by_name sdp_print "
               "sdp_with_ice sdp_get_line_startswith sdp_get_address_family"},
    {"secfilter", "secf_check_ua secf_check_from_hdr secf_check_to_hdr secf_check_contact_hdr secf_check_ip "
                  "secf_check_country secf_check_dst secf_check_sqli_all secf_check_sqli_hdr"},
    {"sipcapture", "report_capture float2int sip_capture_forward"},
    {"sipdump", "sipdump_send"},
    {"sipjson", "sj_serialize"},
    {"sipt", "sipt_destination sipt_forwarding sipt_set_calling sipt_set_bci_1 sipt_has_isup_body"},
    {"siptrace", "hlog sip_trace_mode"},
    {"siputils", "cmp_hdr_name is_rpid_user_e164 set_uri_user set_uri_host contact_param_decode_ruri "
                 "contact_param_rm"},
    {"sl", "send_reply_mode"},
    {"sms", "sms_send_msg_to_net sms_send_msg"},
    {"smsops", "smsdump isRPDATA"},
    {"sqlops", "sql_query_async"},
    {"ss7ops", "isup_to_json"},
    {"sst", "sstCheckMin"},
    {"statsc", "statsc_reset"},
    {"statsd", "statsd_gauge statsd_histogram statsd_start statsd_stop statsd_incr statsd_decr statsd_set"},
    {"tcpops", "tcp_keepalive_enable tcp_keepalive_disable tcp_set_connection_lifetime tcp_enable_closed_event "
               "tcp_conid_state tcp_get_conid tcp_conid_alive tcp_set_otcpid tcp_set_otcpid_flag "
               "tcp_close_connection"},
    {"textops", "search_append search_append_body replace_hdrs_str remove_hf_match is_method search_str "
                "set_body_multipart append_body_part_hex get_body_part_raw regex_substring"},
    {"textopsx", "remove_hf_value2 assign_hf_value2 hf_iterator_prev hf_iterator_rm hf_iterator_append "
                 "hf_iterator_insert bl_iterator_end bl_iterator_rm bl_iterator_append bl_iterator_insert"},
    {"timer", "timer_enable"},
    {"tls", "tls_set_connect_server_id"},
    {"tm", "t_send_reply t_relay_to_sctp t_replicate_udp t_replicate_tcp t_replicate_tls t_replicate_sctp "
           "t_replicate_to t_relay_to_avp t_forward_nonack_uri t_forward_nonack_udp t_forward_nonack_tcp "
           "t_forward_nonack_tls t_forward_nonack_sctp t_forward_nonack_to t_write_req t_write_unix "
           "t_reset_max_lifetime t_disable_e2e_cancel_reason t_is_retr_async_reply t_clean"},
    {"tmrec", "tmrec_match is_leap_year time_period_match"},
    {"topos", "tps_set_context"},
    {"tsilo", "ts_append_to ts_append ts_append_by_contact ts_store"},
    {"uac", "uac_auth_mode uac_reg_lookup_uri uac_reg_status uac_reg_request_to uac_reg_enable uac_reg_disable "
            "uac_reg_refresh"},
    {"uac_redirect", "set_deny_filter set_accept_filter get_redirects"},
    {"uid_avp_db", "save_extra_attrs remove_extra_attrs lock_extra_attrs unlock_extra_attrs"},
    {"uid_domain", "is_local get_did"},
    {"uid_gflags", "set_ugflag reset_ugflag is_ugflag flush_ugflags"},
    {"uid_uri_db", "lookup_user check_uri"},
    {"uri_db", "check_to check_from does_uri_exist"},
    {"userblocklist", "check_user_blocklist check_user_allowlist check_blocklist check_allowlist"},
    {"xhttp_prom", "prom_check_uri prom_dispatch prom_counter_reset prom_gauge_reset prom_counter_inc prom_gauge_set "
                   "prom_histogram_observe"},
    {"xhttp_rpc", "dispatch_xhttp_rpc"},
    {"xlog", "xlogm"},
    {"xprint", "xplog xpdbg"},
};
constexpr Row kVariables[] = {
    {"tm", "T_branch_idx T_reply_ruid T_reply_code T_reply_reason T_reply_last T_req T_rpl T_inv T_branch T T_rply "},
    {"tmx", "T_req_code"},
    {"tls", "tls tls_version tls_description tls_cipher_info tls_cipher_bits tls_peer_version tls_my_version tls_peer_serial "
            "tls_my_serial tls_peer_subject tls_my_subject tls_peer_issuer tls_my_issuer tls_peer_subject_cn tls_peer_verified "
            "tls_peer_san_hostname tls_peer_san_uri tls_peer_server_name tls_peer_raw_cert"},
    {"pv", "xavp xavu xavi shv stat branch sbranch sndto sndfrom snd cnt bf bF Bf br bR ds sf sF Sf fs err.class err.level err.info "
           "err.rcode err.rreason sel ruid location_ua K vn nh expires dir dip dic fsp mbu rsi sid msgbuf ksr rpl ccp rcv"},
    {"htable", "sht shtex shtcn shtcv shtinc shtdec shtrecord shtitkey shtitval"}, {"jsonrpcs", "jsonrpl"},
    {"uac", "uac_req"}, {"dialog", "dlg dlg_ctx dlg_var DLG_count DLG_status DLG_lifetime"},
    {"xhttp", "hu"}, {"sqlops", "dbr sqlrows"}, {"corex", "cfg lsock sock atkv"}, {"kex", "sruid"}, {"siputils", "pcv"}, {"textopsx", "hfitname hfitbody blitval"}, {"rr", "route_uri"}, {"permissions", "ipp"},
    {"auth", "adr"}, {"http_client", "curlerror"}, {"counters", "stat"}, {"sdpops", "sdp"}, {"ndb_redis", "redis"},
};
// clang-format on

std::string_view find(std::span<const Row> rows, std::string_view name) {
    for (const Row& row : rows) {
        for (size_t at = row.names.find(name); at != row.names.npos; at = row.names.find(name, at + 1)) {
            const size_t end = at + name.size();
            if ((at == 0 || row.names[at - 1] == ' ') && (end == row.names.size() || row.names[end] == ' '))
                return row.module;
        }
    }
    return {};
}

}  // namespace

std::string_view module_of_function(std::string_view name) {
    if (name.empty()) return name;
    const std::string_view module = find(kFunctions, name);
    return module.empty() ? find(kMoreFunctions, name) : module;
}
std::string_view module_of_variable(std::string_view name) { return name.empty() ? name : find(kVariables, name); }

}  // namespace kahu::script
