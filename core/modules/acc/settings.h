// core/modules/acc/settings.h -- what the operator set, and the extra fields compiled from it.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/module/descriptor.h"
#include "core/module/setting.h"
#include "core/script/format.h"

namespace kahu::acc {

struct Settings {
    // Flags, -1: none.
    IntSetting log_flag{-1}, log_missed_flag{-1}, failed_transaction_flag{-1}, db_flag{-1}, db_missed_flag{-1};
    IntSetting log_level{1};
    TextSetting log_extra, db_extra;
    TextSetting db_url, db_table_acc{"acc"}, db_table_missed_calls{"missed_calls"};
    IntSetting acc_prepare_flag{-1}, acc_prepare_always{0}, acc_extra_nullable{0};
    IntSetting early_media{0}, report_ack{0}, report_cancels{0}, detect_direction{0};
    TextSetting failed_filter, multi_leg_info;
    TextSetting method_column{"method"}, from_tag_column{"from_tag"}, to_tag_column{"to_tag"}, callid_column{"callid"},
        code_column{"sip_code"}, reason_column{"sip_reason"}, time_column{"time"};
    IntSetting without_effect{0};
    TextSetting text_without_effect;
};
extern Settings settings;

// "name=$variable;name=text"
struct Extra {
    std::string name;
    std::shared_ptr<const script::Format> value;
};
std::span<const Extra> log_extras();
std::span<const Extra> db_extras();  // name: of a column
// What multi_leg_info tells of each leg of a call: its n-th values.  legs() is empty without that parameter.
inline constexpr size_t kMostLegs = 16;
std::span<const std::vector<Extra>> legs();
std::string_view text_of(const Extra& extra, script::Run& run);  // null is ""
bool is_filtered(int status);                                    // failed_filter names it

std::span<const Param> params();
Status check_settings();

}  // namespace kahu::acc
