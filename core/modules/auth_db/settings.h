// core/modules/auth_db/settings.h -- auth_db's parameters, as its other files read them.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/module/descriptor.h"

namespace kahu::auth_db {

struct Settings {
    IntSetting calculate_ha1{0};
    IntSetting use_domain{0};
    IntSetting force_generate_avps{0};
    IntSetting ignored{0};
    TextSetting db_url{"mysql://kamailioro:kamailioro@localhost/kamailio"};
    TextSetting user_column{"username"}, domain_column{"domain"};
    TextSetting password_column{"ha1"}, password_column_2{"ha1b"}, password_column_sha256{"ha1_sha256"};
    TextSetting load_credentials{};
};
extern Settings settings;
std::span<const Param> params();

struct LoadedColumn {  // of load_credentials
    std::string avp, column;
};
Status check_settings();
const std::vector<LoadedColumn>& loaded_columns();

}  // namespace kahu::auth_db
