// core/modules/debugger/settings.h -- what the operator set.
#pragma once
#include <span>

#include "core/module/descriptor.h"
#include "core/module/setting.h"

namespace kahu::debugger {

struct Settings {
    IntSetting cfgtrace{0}, cfgtrace_format{0}, breakpoint{0};
    IntSetting log_level{-1};
    TextSetting log_facility, log_level_name, log_prefix{"*** cfgtrace:"};
    IntSetting log_assign{0};
    IntSetting step_usleep{500'000}, step_loops{200};
    IntSetting mod_hash_size{0}, mod_level_mode{0}, mod_facility_mode{0};
    IntSetting reset_msgid{0};
    IntSetting without_effect{0};
};
extern Settings settings;

std::span<const Param> params();

}  // namespace kahu::debugger
