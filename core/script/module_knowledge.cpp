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
    {"dlgs", "dlgs_init dlgs_update dlgs_count dlgs_tags_add dlgs_tags_rm"},
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
constexpr Row kVariables[] = {
    {"tm", "T_branch_idx T_reply_ruid T_reply_code T_reply_reason T_reply_last T_req T_rpl T_inv T_branch T T_rply "},
    {"tmx", "T_req_code"},
    {"tls", "tls tls_version tls_description tls_cipher_info tls_cipher_bits tls_peer_version tls_my_version tls_peer_serial "
            "tls_my_serial tls_peer_subject tls_my_subject tls_peer_issuer tls_my_issuer tls_peer_subject_cn tls_peer_verified "
            "tls_peer_san_hostname tls_peer_san_uri tls_peer_server_name tls_peer_raw_cert"},
    {"pv", "xavp xavu xavi shv stat branch sbranch sndto sndfrom snd cnt bf bF Bf br bR ds sf sF Sf fs err.class err.level err.info "
           "err.rcode err.rreason sel ruid location_ua K vn nh expires dir dip dic"},
    {"htable", "sht shtex shtcn shtcv shtinc shtdec shtrecord"},
    {"uac", "uac_req"}, {"dialog", "dlg dlg_ctx dlg_var DLG_count DLG_status DLG_lifetime"}, {"dlgs", "dlgs"},
    {"xhttp", "hu"}, {"sqlops", "dbr sqlrows"}, {"corex", "cfg lsock atkv"}, {"rr", "route_uri"}, {"permissions", "ipp"},
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

std::string_view module_of_function(std::string_view name) { return name.empty() ? name : find(kFunctions, name); }
std::string_view module_of_variable(std::string_view name) { return name.empty() ? name : find(kVariables, name); }

}  // namespace kahu::script
