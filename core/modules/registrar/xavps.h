// core/modules/registrar/xavps.h -- the script's wishes for one call ($xavp of xavp_cfg), and what it is told of the
// contact that was found ($xavp of xavp_rcd).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/modules/usrloc/api.h"
#include "core/script/run.h"

namespace kahu::registrar {

// $xavp(CFG=>name); nullopt: not set, or no class was configured.
std::optional<int64_t> wished_number(const script::Run& run, std::string_view name);
std::optional<std::string_view> wished_text(const script::Run& run, std::string_view name);

// $xavp(RCD=>ruid), contact, expires, received, path, as xavp_rcd_mask leaves them.  Newest first, as $xavp are.
struct Record {
    std::string_view ruid, contact, received, path;
    int64_t expires = 0;  // seconds left
};
void tell_record(script::Run& run, const Record& record);

}  // namespace kahu::registrar
