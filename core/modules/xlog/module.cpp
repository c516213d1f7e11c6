// core/modules/xlog/module.cpp -- read this file to know what xlog offers.
#include "core/modules/xlog/module.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/proc/settings.h"
#include "core/script/format.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/scope.h"
#include "core/script/script_log.h"

namespace kahu::xlog {
namespace {

using log::Level;

TextSetting g_prefix{"<script>: "};
IntSetting g_buf_size{4096};
IntSetting g_force_color{0};
IntSetting g_long_format{0};
IntSetting g_prefix_mode{0};
IntSetting g_methods_filter{-1};
TextSetting g_log_colors;
std::shared_ptr<const script::Format> g_prefix_format;  // with prefix_mode=1
int g_own_facility = -1;                                // of all lines; -1: the server's

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

// What a call says besides its text, as far as it is the same for every message.
struct Call {
    std::optional<Level> level;
    std::optional<int> facility;  // -1: that of the module
};

void write(script::Run& run, Level level, const script::Args& args, size_t i, int facility = -1) {
    const std::string_view shown = args.printed(run, i).substr(0, static_cast<size_t>(g_buf_size.get()));
    const std::string_view prefix =
        g_prefix_format == nullptr ? std::string_view(g_prefix.get()) : g_prefix_format->text(run);
    script::log_script_line(run, level, script::TextBuilder(run.arena()).append(prefix).append(shown).take(),
                            facility >= 0 ? facility : g_own_facility);
}

// The text is only put together when somebody will see it.
template <Level level>
int fixed(script::Run& run, const script::Args& args) {
    if (log::enabled(level)) write(run, level, args, 0);
    return 1;
}

Status prepare_level(const script::Args& args, size_t at, Call& call) {
    const script::Value* const constant = args.constant(at);
    if (constant == nullptr) return {};
    int64_t level = constant->number;
    if (constant->is_text() && !level_named(constant->text, level))
        return Error{Errc::invalid, fmt::format("\"{}\" is not a log level", text::printable(constant->text, 40)),
                     "L_ALERT L_BUG L_CRIT L_ERR L_WARN L_NOTICE L_INFO L_DBG"};
    call.level = clamp(level);
    return {};
}
Status check_facility(std::string_view name, int& out) {
    out = proc::syslog_facility(name);
    if (out >= 0) return {};
    return Error{Errc::invalid, fmt::format("\"{}\" is not a syslog facility", text::printable(name, 40)),
                 "LOG_DAEMON, LOG_LOCAL0 ..."};
}

// ([facility,] [level,] text)
Status prepare_xlog(script::Args& args) {
    Call call;
    if (args.size() == 1) call.level = Level::error;
    else if (Status good = prepare_level(args, args.size() - 2, call); !good) return good;
    if (args.size() < 3) {
        call.facility = -1;
    } else if (const script::Value* const constant = args.constant(0)) {
        int facility = -1;
        if (Status good = check_facility(constant->text, facility); !good) return good;
        call.facility = facility;
    }
    args.keep(call);
    return {};
}
Level level_of(script::Run& run, const script::Args& args, size_t at) {
    const script::Value given = args.value(run, at);
    int64_t number = given.number;
    if (given.is_text() && !level_named(given.text, number)) number = static_cast<int64_t>(Level::error);
    return clamp(number);
}
int xlog(script::Run& run, const script::Args& args) {
    const Call& call = *args.prepared<Call>();
    const Level level = call.level ? *call.level : level_of(run, args, args.size() - 2);
    if (!log::enabled(level)) return 1;
    write(run, level, args, args.size() - 1, call.facility ? *call.facility : proc::syslog_facility(args.text(run, 0)));
    return 1;
}

// methods_filter has Kamailio's numbers of methods: a bit for each.
constexpr struct {
    sip::Method method;
    int64_t bit;
} kMethodBits[] = {
    {sip::Method::invite, 1},     {sip::Method::cancel, 2},     {sip::Method::ack, 4},
    {sip::Method::bye, 8},        {sip::Method::info, 16},      {sip::Method::register_, 32},
    {sip::Method::subscribe, 64}, {sip::Method::notify, 128},   {sip::Method::message, 256},
    {sip::Method::options, 512},  {sip::Method::prack, 1024},   {sip::Method::update, 2048},
    {sip::Method::refer, 4096},   {sip::Method::publish, 8192},
};
bool is_filtered(sip::Method method) {
    for (const auto& row : kMethodBits)
        if (row.method == method) return (g_methods_filter & row.bit) != 0;
    return g_methods_filter < 0;
}
int xlog_unless_filtered(script::Run& run, const script::Args& args) {
    return is_filtered(script::method_of(run.message())) ? 1 : xlog(run, args);
}

Status accept_facility(const ParamValue& value) {
    const auto* const name = std::get_if<std::string>(&value);
    if (name == nullptr) return Error{Errc::invalid, "expected a string", "\"LOG_LOCAL0\""};
    return check_facility(*name, g_own_facility);
}

Status check() {
    g_prefix_format = nullptr;
    if (g_prefix_mode == 0) return {};
    const script::Scope scope({}, {});  // the variables that need no module
    auto format = script::Format::compile(g_prefix.get(), scope, "modparam xlog prefix");
    if (!format) return std::move(format).error().context("modparam xlog prefix");
    g_prefix_format = std::move(*format);
    return {};
}

constexpr std::string_view kText = "(string text)";

constexpr Function kFunctions[] = {
    {"xlog", 1, 3, "([string facility,] [string level,] string text)",
     "Writes a line with variables in it; the level is L_ERR unless given. The facility is the server's "
     "or log_facility unless given.",
     kAnyRoute, xlog, prepare_xlog},
    {"xalert", 1, 1, kText, "xlog() at level alert.", kAnyRoute, fixed<Level::alert>},
    {"xbug", 1, 1, kText, "xlog() at level bug.", kAnyRoute, fixed<Level::bug>},
    {"xcrit", 1, 1, kText, "xlog() at level critical.", kAnyRoute, fixed<Level::critical>},
    {"xerr", 1, 1, kText, "xlog() at level error.", kAnyRoute, fixed<Level::error>},
    {"xwarn", 1, 1, kText, "xlog() at level warning.", kAnyRoute, fixed<Level::warn>},
    {"xnotice", 1, 1, kText, "xlog() at level notice.", kAnyRoute, fixed<Level::notice>},
    {"xinfo", 1, 1, kText, "xlog() at level info.", kAnyRoute, fixed<Level::info>},
    {"xdbg", 1, 1, kText, "xlog() at level debug.", kAnyRoute, fixed<Level::debug>},
    {"xlogl", 1, 3, "([string facility,] [string level,] string text)", "The same as xlog().", kAnyRoute, xlog,
     prepare_xlog},
    {"xlogm", 2, 2, "(string level, string text)", "xlog() for messages whose method methods_filter does not name.",
     kAnyRoute, xlog_unless_filtered, prepare_xlog},
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
    {.name = "prefix_mode",
     .number = &g_prefix_mode,
     .min = 0,
     .max = 1,
     .help = "1: variables in prefix are replaced for each line, those that need no module."},
    {.name = "log_facility",
     .kind = ParamKind::custom,
     .accept = accept_facility,
     .help = "Syslog facility of the lines of the script.",
     .default_text = "the server's"},
    {.name = "methods_filter",
     .number = &g_methods_filter,
     .min = -1,
     .max = 0x7fffffff,
     .help =
         "Methods for which xlogm() writes nothing, as the sum of: INVITE 1, CANCEL 2, ACK 4, BYE 8, INFO 16, REGISTER "
         "32, SUBSCRIBE 64, NOTIFY 128, MESSAGE 256, OPTIONS 512, PRACK 1024, UPDATE 2048, REFER 4096, PUBLISH 8192; "
         "-1: all.",
     .applies = Applies::at_runtime},
    {.name = "log_colors",
     .kind = ParamKind::text,
     .text = &g_log_colors,
     .help = "Colours of the levels on a terminal.",
     .remark = "has no effect: lines are not coloured"},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "xlog",
    .summary = "Log lines of the routing script, with variables.",
    .params = kParams,
    .functions = kFunctions,
    .hooks = {.check = check},
    .description =
        "Variables in the text are replaced for each message; one without a value appears as <null>, and $$ is one "
        "dollar sign. Nothing is put together for levels that are not logged.",
};

}  // namespace kahu::xlog
