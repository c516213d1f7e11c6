// core/modules/tm/settings.h -- parameters of module tm, under Kamailio's names.
#pragma once
#include <span>

#include "core/base/clock.h"
#include "core/module/descriptor.h"

namespace kahu::tm {

struct Settings {
    IntSetting fr_timer{30000};       // ms: B and F, until something is heard
    IntSetting fr_inv_timer{120000};  // ms: C
    IntSetting retr_timer1{500};      // ms: T1
    IntSetting retr_timer2{4000};     // ms: T2
    IntSetting wt_timer{5000};        // ms: how long an unanswered request is remembered; T4
    IntSetting max_inv_lifetime{180000};
    IntSetting max_noninv_lifetime{32000};
    IntSetting auto_inv_100{1};
    TextSetting auto_inv_100_reason{"trying -- your call is important to us"};
    IntSetting failure_reply_mode{3};
    IntSetting disable_6xx_block{0};
    IntSetting restart_fr_on_each_reply{1};
    IntSetting local_cancel_reason{1};
    IntSetting e2e_cancel_reason{1};
    IntSetting remap_503_500{1};
    IntSetting aggregate_challenges{1};
    IntSetting max_breadth{60};
    IntSetting unmatched_cancel{0};
    IntSetting precheck_trans{1};
    IntSetting default_code{500};
    TextSetting default_reason{"Server Internal Error"};
    IntSetting accepted{0};  // parameters that have no effect here
    TextSetting accepted_text{""};
};
extern Settings settings;
std::span<const Param> tm_params();
std::span<const Param> tmx_params();

// RFC 3261 17.1.1.1: what the timers are made of.
inline clock::Millis t1() { return settings.retr_timer1; }
inline clock::Millis t2() { return settings.retr_timer2; }
inline clock::Millis t4() { return settings.wt_timer; }
inline clock::Millis t1x64() { return 64 * t1(); }

}  // namespace kahu::tm
