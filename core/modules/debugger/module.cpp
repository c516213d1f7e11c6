// core/modules/debugger/module.cpp -- a name that configurations load.
#include "core/modules/debugger/module.h"

namespace kahu::debugger {
namespace {

IntSetting g_cfgtrace{0}, g_log_level{1}, g_breakpoint{0}, g_mod_hash_size{0}, g_mod_level_mode{0};
TextSetting g_log_level_name, g_mod_level;

constexpr std::string_view kNoTrace = "has no effect: statements are not traced; use xlog() or xdbg()";
constexpr std::string_view kOneLevel =
    "has no effect: the log level is the same for all modules, see core parameter debug";

const Param kParams[] = {
    {.name = "cfgtrace",
     .number = &g_cfgtrace,
     .min = 0,
     .max = 1,
     .help = "Kamailio: writes a log line for each statement.",
     .remark = kNoTrace},
    {.name = "breakpoint",
     .number = &g_breakpoint,
     .min = 0,
     .max = 1,
     .help = "Kamailio: lets dbg.bp stop the script.",
     .remark = kNoTrace},
    {.name = "log_level",
     .number = &g_log_level,
     .min = -5,
     .max = 3,
     .help = "Kamailio: level of those lines.",
     .remark = kNoTrace},
    {.name = "log_level_name",
     .kind = ParamKind::text,
     .text = &g_log_level_name,
     .help = "Kamailio: prefix of those lines.",
     .remark = kNoTrace},
    {.name = "mod_hash_size",
     .number = &g_mod_hash_size,
     .min = 0,
     .max = 64,
     .help = "Kamailio: size of its table of levels by module.",
     .remark = kOneLevel},
    {.name = "mod_level_mode",
     .number = &g_mod_level_mode,
     .min = 0,
     .max = 1,
     .help = "Kamailio: whether modules have log levels of their own.",
     .remark = kOneLevel},
    {.name = "mod_level",
     .kind = ParamKind::text,
     .text = &g_mod_level,
     .help = "Kamailio: log level of one module.",
     .remark = kOneLevel},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "debugger",
    .summary = "Accepts the settings of Kamailio's script debugger.",
    .params = kParams,
    .description = "Loading it changes nothing; each setting says so at start.",
};

}  // namespace kahu::debugger
