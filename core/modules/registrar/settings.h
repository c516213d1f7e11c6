// core/modules/registrar/settings.h -- registrar's parameters, as its other files read them.
#pragma once
#include <span>
#include <string_view>

#include "core/module/descriptor.h"

namespace kahu::registrar {

enum class PathMode : uint8_t { silent, lazy, strict };
enum class OutboundMode : uint8_t { refused, offered, required };

struct Settings {
    IntSetting default_expires{3600}, default_expires_range{0}, expires_range{0};
    IntSetting min_expires{60}, min_expires_mode{0}, max_expires{0};
    IntSetting default_q{0};
    IntSetting append_branches{1};
    IntSetting case_sensitive{0};
    IntSetting max_contacts{0};
    IntSetting retry_after{0};
    IntSetting sock_flag{-1};
    IntSetting method_filtering{0};
    IntSetting use_path{0};
    IntSetting path_mode{2};
    IntSetting path_use_received{0};
    IntSetting path_check_local{0};
    IntSetting outbound_mode{0};
    IntSetting regid_mode{0};
    IntSetting flow_timer{0};
    IntSetting gruu_enabled{1};
    IntSetting contact_max_size{512};
    IntSetting lookup_filter_mode{0};
    IntSetting use_expired_contacts{0};
    IntSetting xavp_rcd_mask{0};
    IntSetting ignored{0};
    TextSetting realm_prefix{};
    TextSetting received_avp{};
    TextSetting received_param{"received"};
    TextSetting sock_hdr_name{};
    TextSetting xavp_cfg{};
    TextSetting xavp_rcd{};
    TextSetting ignored_text{};
};
extern Settings settings;
std::span<const Param> params();
Status check_settings();
std::string_view received_avp_name();  // of received_avp; "" if there is none

}  // namespace kahu::registrar
