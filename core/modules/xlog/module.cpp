// core/modules/xlog/module.cpp -- read this file to know what xlog offers.
#include "core/modules/xlog/module.h"

#include <fmt/format.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/script_log.h"

namespace kahu::xlog {
namespace {

using log::Level;

TextSetting g_prefix{"<script>: "};
IntSetting g_buf_size{4096};
IntSetting g_force_color{0};
IntSetting g_long_format{0};

struct LevelName {
    std::string_view name;
    Level level;
};
constexpr LevelName kLevels[] = {{"ALERT", Level::alert},  {"BUG", Level::bug},       {"CRIT", Level::critical},
                                 {"ERR", Level::error},    {"ERROR", Level::error},   {"WARN", Level::warn},
                                 {"WARNING", Level::warn}, {"NOTICE", Level::notice}, {"INFO", Level::info},
                                 {"DBG", Level::debug},    {"DEBUG", Level::debug}};

// "L_INFO", "info", "2"
bool level_named(std::string_view text, int64_t& out) {
    if (script::spells_integer(text, out)) return true;
    if (text.size() > 2 && text::iequals(text.substr(0, 2), "L_")) text.remove_prefix(2);
    for (const LevelName& row : kLevels)
        if (text::iequals(row.name, text)) {
            out = static_cast<int64_t>(row.level);
            return true;
        }
    return false;
}
Level clamp(int64_t number) { return static_cast<Level>(std::min<int64_t>(std::max<int64_t>(number, -5), 3)); }

void write(script::Run& run, Level level, const script::Args& args, size_t i) {
    const std::string_view shown = args.printed(run, i).substr(0, static_cast<size_t>(g_buf_size.get()));
    script::log_script_line(run, level, script::TextBuilder(run.arena()).append(g_prefix.get()).append(shown).take());
}

// The text is only put together when somebody will see it.
template <Level level>
int fixed(script::Run& run, const script::Args& args) {
    if (log::enabled(level)) write(run, level, args, 0);
    return 1;
}

Status prepare_xlog(script::Args& args) {
    if (args.size() == 1) return {};
    const size_t at = args.size() - 2;  // ([facility,] level, text)
    const script::Value* const constant = args.constant(at);
    if (constant == nullptr) return {};
    int64_t level = constant->number;
    if (constant->is_text() && !level_named(constant->text, level))
        return Error{Errc::invalid, fmt::format("\"{}\" is not a log level", text::printable(constant->text, 40)),
                     "L_ALERT L_BUG L_CRIT L_ERR L_WARN L_NOTICE L_INFO L_DBG"};
    args.keep(clamp(level));
    return {};
}
int xlog(script::Run& run, const script::Args& args) {
    Level level = Level::error;
    if (const Level* const known = args.prepared<Level>()) {
        level = *known;
    } else if (args.size() > 1) {
        const script::Value given = args.value(run, args.size() - 2);
        int64_t number = given.number;
        if (given.is_text() && !level_named(given.text, number)) number = static_cast<int64_t>(Level::error);
        level = clamp(number);
    }
    if (log::enabled(level)) write(run, level, args, args.size() - 1);
    return 1;
}

constexpr std::string_view kText = "(string text)";

constexpr Function kFunctions[] = {
    {"xlog", 1, 3, "([string facility,] [string level,] string text)",
     "Writes a line with variables in it; the level is L_ERR unless given. The facility is the server's own.",
     kAnyRoute, xlog, prepare_xlog},
    {"xalert", 1, 1, kText, "xlog() at level alert.", kAnyRoute, fixed<Level::alert>},
    {"xbug", 1, 1, kText, "xlog() at level bug.", kAnyRoute, fixed<Level::bug>},
    {"xcrit", 1, 1, kText, "xlog() at level critical.", kAnyRoute, fixed<Level::critical>},
    {"xerr", 1, 1, kText, "xlog() at level error.", kAnyRoute, fixed<Level::error>},
    {"xwarn", 1, 1, kText, "xlog() at level warning.", kAnyRoute, fixed<Level::warn>},
    {"xnotice", 1, 1, kText, "xlog() at level notice.", kAnyRoute, fixed<Level::notice>},
    {"xinfo", 1, 1, kText, "xlog() at level info.", kAnyRoute, fixed<Level::info>},
    {"xdbg", 1, 1, kText, "xlog() at level debug.", kAnyRoute, fixed<Level::debug>},
    {"xlogl", 1, 2, "([string level,] string text)", "The same as xlog().", kAnyRoute, xlog, prepare_xlog},
    {"xdbgl", 1, 1, kText, "The same as xdbg().", kAnyRoute, fixed<Level::debug>},
};

const Param kParams[] = {
    {.name = "prefix",
     .kind = ParamKind::text,
     .text = &g_prefix,
     .help = "Text before each line, after the server's own log_prefix."},
    {.name = "buf_size",
     .number = &g_buf_size,
     .min = 16,
     .max = 65536,
     .unit = "bytes",
     .help = "Longer lines are cut.",
     .applies = Applies::at_runtime},
    {.name = "force_color",
     .number = &g_force_color,
     .min = 0,
     .max = 1,
     .help = "Whether colours are used although the output is no terminal.",
     .remark = "has no effect: lines are not coloured"},
    {.name = "long_format",
     .number = &g_long_format,
     .min = 0,
     .max = 1,
     .help = "Whether file and line of the call are added to each line.",
     .remark = "has no effect: the text is written as it stands"},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "xlog",
    .summary = "Log lines of the routing script, with variables.",
    .params = kParams,
    .functions = kFunctions,
    .description =
        "Variables in the text are replaced for each message; one without a value appears as <null>, and $$ is one "
        "dollar sign. Nothing is put together for levels that are not logged.",
};

}  // namespace kahu::xlog
