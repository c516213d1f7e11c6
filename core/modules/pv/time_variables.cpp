#include "core/modules/pv/time_variables.h"

#include <fmt/format.h>
#include <sys/time.h>

#include <ctime>

#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::pv {
namespace {

using script::Run;
using script::Value;
using Use = script::VariableUse;

const time_t g_started = ::time(nullptr);

Value format(Run& run, const char* how, bool utc) {
    const time_t now = ::time(nullptr);
    tm parts{};
    if ((utc ? ::gmtime_r(&now, &parts) : ::localtime_r(&now, &parts)) == nullptr) return Value::none();
    char text[256];
    return Value::of(run.arena().copy({text, std::strftime(text, sizeof text, how, &parts)}));
}

Value seconds(Run&, const Use&) { return Value::of(int64_t{::time(nullptr)}); }
Value started(Run&, const Use&) { return Value::of(int64_t{g_started}); }
Value now_text(Run& run, const Use&) { return format(run, "%a %b %e %H:%M:%S %Y", false); }

// $TV(s) seconds, $TV(u) microseconds of that second, $TV(sn) and $TV(un) the same now, $TV(Sn) "seconds.microseconds".
Status prepare_timeval(Use& use) {
    if (use.inner == "s" || use.inner == "sn") use.number = 's';
    else if (use.inner == "u" || use.inner == "un") use.number = 'u';
    else if (use.inner == "Sn") use.number = 'S';
    else return Error{Errc::invalid, fmt::format("$TV({}) is not known", use.inner), "s, u, sn, un or Sn"};
    return {};
}
Value timeval_part(Run& run, const Use& use) {
    timeval now{};
    ::gettimeofday(&now, nullptr);
    if (use.number == 's') return Value::of(int64_t{now.tv_sec});
    if (use.number == 'u') return Value::of(int64_t{now.tv_usec});
    char text[48];
    const auto end = fmt::format_to_n(text, sizeof text, "{}.{:06}", now.tv_sec, now.tv_usec);
    return Value::of(run.arena().copy({text, end.size}));
}

struct Part {
    std::string_view name;
    int tm::*field;
    int offset;
};
constexpr Part kParts[] = {{"sec", &tm::tm_sec, 0},   {"min", &tm::tm_min, 0},   {"hour", &tm::tm_hour, 0},
                           {"mday", &tm::tm_mday, 0}, {"mon", &tm::tm_mon, 1},   {"year", &tm::tm_year, 1900},
                           {"wday", &tm::tm_wday, 1}, {"yday", &tm::tm_yday, 1}, {"isdst", &tm::tm_isdst, 0}};

Status prepare_part(Use& use) {
    for (size_t i = 0; i < std::size(kParts); ++i)
        if (kParts[i].name == use.inner) {
            use.number = static_cast<int64_t>(i);
            return {};
        }
    return Error{Errc::invalid, fmt::format("${}({}) is not known", use.name, use.inner),
                 "sec, min, hour, mday, mon, year, wday, yday or isdst"};
}
template <bool utc>
Value part(Run&, const Use& use) {
    const time_t now = ::time(nullptr);
    tm parts{};
    if ((utc ? ::gmtime_r(&now, &parts) : ::localtime_r(&now, &parts)) == nullptr) return Value::none();
    const Part& row = kParts[static_cast<size_t>(use.number)];
    return Value::of(int64_t{parts.*row.field + row.offset});
}

Status prepare_format(Use& use) {
    if (use.inner.empty() || use.inner_format != nullptr)
        return Error{Errc::invalid, fmt::format("${} needs a format", use.name), "as strftime() knows it: %Y-%m-%d"};
    return {};
}
template <bool utc>
Value formatted(Run& run, const Use& use) {
    return format(run, use.inner.c_str(), utc);
}

constexpr Variable kVariables[] = {
    {"Ts", "Seconds since 1970.", seconds},
    {"TS", "Seconds since 1970.", seconds},
    {"Tf", "Local time as text.", now_text},
    {"TF", "Local time as text.", now_text},
    {"Tb", "Seconds since 1970 when the server started.", started},
    {"TV", "Seconds (s, sn), microseconds (u, un) or both (Sn) of the time.", timeval_part, nullptr, prepare_timeval},
    {"time", "A part of local time: sec, min, hour, mday, mon, year, wday, yday, isdst.", part<false>, nullptr,
     prepare_part},
    {"utime", "The same in UTC.", part<true>, nullptr, prepare_part},
    {"timef", "Local time in strftime() notation.", formatted<false>, nullptr, prepare_format},
    {"utimef", "UTC in strftime() notation.", formatted<true>, nullptr, prepare_format},
};

}  // namespace

std::span<const Variable> time_variables() { return kVariables; }

}  // namespace kahu::pv
