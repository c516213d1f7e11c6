#include "core/modules/debugger/settings.h"

#include "core/base/text.h"
#include "core/modules/debugger/levels.h"
#include "core/proc/settings.h"

namespace kahu::debugger {

Settings settings;

namespace {

constexpr std::string_view kNoPool = "has no effect: processes have no memory pools of their own";
constexpr std::string_view kNoTest = "has no effect: there is no module cfgt";
constexpr std::string_view kFixed = "has no effect: the table of modules has a fixed size";

Status accept_facility(const ParamValue& value) {
    const auto* name = std::get_if<std::string>(&value);
    if (name != nullptr && proc::syslog_facility(*name) >= 0) return {};
    return Error{Errc::invalid, "log_facility is not a syslog facility", "\"LOG_LOCAL0\" ... \"LOG_LOCAL7\""};
}

// "tm=3"
Status accept_level(const ParamValue& value) {
    const auto* given = std::get_if<std::string>(&value);
    const size_t equals = given == nullptr ? std::string::npos : given->find('=');
    const auto level = equals == std::string::npos
                           ? std::nullopt
                           : text::to_int(text::trim(std::string_view(*given).substr(equals + 1)));
    if (!level || *level < kLowestLevel || *level > kHighestLevel)
        return Error{Errc::invalid, "mod_level is no module=level", "\"tm=3\"; levels from -5 to 3"};
    return set_level(text::trim(std::string_view(*given).substr(0, equals)), static_cast<int>(*level));
}
Status accept_module_facility(const ParamValue& value) {
    const auto* given = std::get_if<std::string>(&value);
    const size_t equals = given == nullptr ? std::string::npos : given->find('=');
    if (equals == std::string::npos)
        return Error{Errc::invalid, "mod_facility is no module=facility", "\"tm=LOG_LOCAL1\""};
    return set_facility(text::trim(std::string_view(*given).substr(0, equals)),
                        text::trim(std::string_view(*given).substr(equals + 1)));
}

constexpr Param flag(std::string_view name, IntSetting& setting, std::string_view help,
                     Applies applies = Applies::at_start) {
    return {.name = name, .kind = ParamKind::boolean, .number = &setting, .help = help, .applies = applies};
}

const Param kParams[] = {
    flag("cfgtrace", settings.cfgtrace,
         "Writes a log line for each statement and call of the script; dbg.trace turns it on and off later."),
    {.name = "cfgtrace_format",
     .number = &settings.cfgtrace_format,
     .min = 0,
     .max = 1,
     .help = "1 leaves the file's name out of those lines."},
    flag("breakpoint", settings.breakpoint,
         "Stops at each statement until dbg.bp lets it go on; dbg.bp turns it on and off later."),
    {.name = "log_level",
     .number = &settings.log_level,
     .min = kLowestLevel,
     .max = kHighestLevel,
     .help = "Level of the trace's lines."},
    {.name = "log_level_name",
     .kind = ParamKind::text,
     .text = &settings.log_level_name,
     .help = "What stands in them instead of the level's name."},
    {.name = "log_facility",
     .kind = ParamKind::text,
     .text = &settings.log_facility,
     .accept = accept_facility,
     .help = "Syslog facility of the trace's lines, instead of the server's."},
    {.name = "log_prefix",
     .kind = ParamKind::text,
     .text = &settings.log_prefix,
     .help = "What these lines begin with."},
    flag("log_assign", settings.log_assign, "Writes a log line for each value that the script assigns."),
    {.name = "step_usleep",
     .number = &settings.step_usleep,
     .min = 1000,
     .max = 60'000'000,
     .unit = "microseconds",
     .help = "With step_loops: how long a process waits at a breakpoint before it goes on by itself."},
    {.name = "step_loops",
     .number = &settings.step_loops,
     .min = 1,
     .max = 100'000,
     .help = "How many times step_usleep it waits."},
    flag("mod_level_mode", settings.mod_level_mode, "Whether modules have log levels of their own.",
         Applies::at_runtime),
    {.name = "mod_level",
     .kind = ParamKind::custom,
     .accept = accept_level,
     .help = "Log level of a module: \"tm=3\"; may be given several times. The module \"core\" is all that is in none.",
     .default_text = "none"},
    flag("mod_facility_mode", settings.mod_facility_mode, "Whether modules have syslog facilities of their own.",
         Applies::at_runtime),
    {.name = "mod_facility",
     .kind = ParamKind::custom,
     .accept = accept_module_facility,
     .help = "Syslog facility of a module: \"tm=LOG_LOCAL1\"; may be given several times.",
     .default_text = "none"},
    {.name = "mod_hash_size",
     .number = &settings.mod_hash_size,
     .min = 0,
     .max = 64,
     .help = "Kamailio: size of its table of modules.",
     .remark = kFixed},
    flag("reset_msgid", settings.reset_msgid, "Lets dbg.reset_msgid count messages ($mi) from 1 again."),
    {.name = "cfgpkgcheck",
     .number = &settings.without_effect,
     .min = 0,
     .max = 1,
     .help = "Kamailio: checks a process's memory after each statement.",
     .remark = kNoPool},
    {.name = "cfgtest",
     .number = &settings.without_effect,
     .min = 0,
     .max = 1,
     .help = "Kamailio: reports to its module cfgt.",
     .remark = kNoTest},
};

}  // namespace

std::span<const Param> params() { return kParams; }

}  // namespace kahu::debugger
