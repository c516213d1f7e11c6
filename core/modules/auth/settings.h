// core/modules/auth/settings.h -- auth's parameters, as its other files read them.
#pragma once
#include <span>
#include <vector>

#include "core/module/descriptor.h"
#include "core/modules/auth/digest.h"

namespace kahu::auth {

struct Settings {
    IntSetting nonce_expire{300};
    IntSetting nonce_count{0};
    IntSetting one_time_nonce{0};
    IntSetting nc_array_size{1 << 20};
    IntSetting force_stateless_reply{0};
    IntSetting add_authinfo_hdr{0};
    IntSetting ignored{0};
    TextSetting algorithm{};
    TextSetting qop{"auth"};
    TextSetting realm_prefix{};
    TextSetting www_challenge_header{"WWW-Authenticate"}, proxy_challenge_header{"Proxy-Authenticate"};
    TextSetting ignored_text{};
};
extern Settings settings;
std::span<const Param> params();
Status check_settings();
// What is offered, in order of preference; never empty.
const std::vector<Algorithm>& offered();

}  // namespace kahu::auth
