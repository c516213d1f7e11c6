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
    IntSetting without_effect{0};
};
extern Settings settings;

// "name=$variable;name=text"
struct Extra {
    std::string name;
    std::shared_ptr<const script::Format> value;
};
std::span<const Extra> log_extras();
std::span<const Extra> db_extras();  // name: of a column

std::span<const Param> params();
Status check_settings();

}  // namespace kahu::acc
