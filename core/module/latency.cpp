#include "core/module/latency.h"

#include "core/base/log.h"
#include "core/base/text.h"

namespace kahu::latency {

IntSetting limit_action{0};
IntSetting limit_db{0};
IntSetting limit_cfg{0};

namespace {

constexpr int kLinesASecond = 100;
IntSetting log_level{static_cast<int>(log::Level::error)};
IntSetting cfg_log_level{static_cast<int>(log::Level::debug)};

constexpr Applies kRuntime = Applies::at_runtime;
constexpr int64_t kHour = 3'600'000'000;

// clang-format off
const Param kParams[] = {
    {.name = "latency_limit_action", .number = &limit_action, .min = 0, .max = kHour, .unit = "microseconds",
     .help = "A function or route() of the script that takes so long or longer is told in the log; 0 is off.", .applies = kRuntime},
    {.name = "latency_limit_db", .number = &limit_db, .min = 0, .max = kHour, .unit = "microseconds",
     .help = "A query of a database that takes so long or longer is told in the log; 0 is off.", .applies = kRuntime},
    {.name = "latency_limit_cfg", .number = &limit_cfg, .min = 0, .max = kHour, .unit = "microseconds",
     .help = "A request_route or reply_route that takes so long or longer is told in the log, at latency_cfg_log; 0 is every one.", .applies = kRuntime},
    {.name = "latency_log", .number = &log_level, .min = -5, .max = 3,
     .help = "Log level of what latency_limit_action and latency_limit_db find.", .applies = kRuntime},
    {.name = "latency_cfg_log", .number = &cfg_log_level, .min = -5, .max = 3,
     .help = "Log level of the times that request_route and reply_route took.", .applies = kRuntime},
};
// clang-format on

log::Level level_of(const IntSetting& setting) { return static_cast<log::Level>(setting.get()); }

}  // namespace

void tell(std::string_view event, std::string_view what, std::string_view at, Micros took) {
    static log::RateLimit limit(kLinesASecond);
    const log::Level level = level_of(log_level);
    if (!log::enabled(level) || !limit.allow()) return;
    log::emit(level, event,
              {kv("what", text::printable(what, 120)), kv("at", at), kv("microseconds", took),
               kv("suppressed", limit.suppressed())});
}

bool watches_routes() { return log::enabled(level_of(cfg_log_level)); }

void tell_route(std::string_view route, Micros took) {
    static log::RateLimit limit(kLinesASecond);
    if (took < limit_cfg || !limit.allow()) return;
    log::emit(level_of(cfg_log_level), "script.executed",
              {kv("route", route), kv("microseconds", took), kv("suppressed", limit.suppressed())});
}

std::span<const Param> latency_params() { return kParams; }

}  // namespace kahu::latency
