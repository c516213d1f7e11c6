#include "core/modules/registrar/xavps.h"

#include "core/modules/registrar/settings.h"

namespace kahu::registrar {
namespace {

using script::Value;
using script::XavpPath;
using script::Xavps;

constexpr Xavps::List kList = Xavps::List::several;

XavpPath path_of(std::string_view list, std::string_view name) {
    XavpPath path;
    path.count = 2;
    path.steps[0].name = list;
    path.steps[1].name = name;
    return path;
}

const Xavps::Entry* wish(const script::Run& run, std::string_view name) {
    const std::string& list = settings.xavp_cfg.get();
    return list.empty() ? nullptr : run.xavps.find(kList, path_of(list, name));
}

}  // namespace

std::optional<int64_t> wished_number(const script::Run& run, std::string_view name) {
    const Xavps::Entry* const found = wish(run, name);
    if (found == nullptr || !found->value.is_integer()) return std::nullopt;
    return found->value.number;
}
std::optional<std::string_view> wished_text(const script::Run& run, std::string_view name) {
    const Xavps::Entry* const found = wish(run, name);
    if (found == nullptr || !found->value.is_text()) return std::nullopt;
    return found->value.text;
}

void tell_record(script::Run& run, const Record& record) {
    const std::string& list = settings.xavp_rcd.get();
    if (list.empty()) return;
    const int64_t mask = settings.xavp_rcd_mask;
    XavpPath only_list = path_of(list, {});
    only_list.count = 1;
    const auto tell = [&](int64_t bit, std::string_view name, const Value& value) {
        if ((mask & bit) != 0) return;
        XavpPath path = path_of(list, name);
        if (run.xavps.find(kList, only_list) != nullptr) path.steps[0].index = 0;  // else it would become another list
        (void)run.xavps.set(kList, path, value, run.arena());
    };
    tell(1, "ruid", Value::of(record.ruid));
    if (!record.received.empty()) tell(8, "received", Value::of(record.received));
    tell(2, "contact", Value::of(record.contact));
    tell(4, "expires", Value::of(record.expires));
    if (!record.path.empty()) tell(16, "path", Value::of(record.path));
}

}  // namespace kahu::registrar
