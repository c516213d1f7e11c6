// core/modules/outbound/settings.h -- outbound's parameters, as its other file reads them.
#pragma once
#include "core/module/setting.h"

namespace kahu::outbound {

struct Settings {
    IntSetting force_flag{-1}, force_no_flag{-1};
    TextSetting secret{};
};
extern Settings settings;

void activate();  // draws the key

}  // namespace kahu::outbound
