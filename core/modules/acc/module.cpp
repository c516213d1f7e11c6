// core/modules/acc/module.cpp -- read this file to know what acc offers.
#include "core/modules/acc/module.h"

#include <fmt/format.h>

#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/script/arena.h"
#include "core/script/format.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/scope.h"
#include "core/script/script_log.h"

namespace kahu::acc {
namespace {

using script::Args;
using script::Run;

IntSetting g_log_level{1}, g_flag{0}, g_missed_flag{0}, g_failed_flag{0}, g_early_media{0}, g_report_ack{0},
    g_report_cancels{0}, g_detect_direction{0};
TextSetting g_log_extra;

// --- log_extra: "name=$variable;name=text" -------------------------------------------------------------------
struct Extra {
    std::string name;
    std::shared_ptr<const script::Format> value;
};
std::vector<Extra> g_extra;

Status check() {
    g_extra.clear();
    const script::Scope scope({}, {});  // the variables that need no module
    for (const std::string_view item : text::split(g_log_extra.get(), ';')) {
        if (text::trim(item).empty()) continue;
        const size_t equals = item.find('=');
        if (equals == item.npos || text::trim(item.substr(0, equals)).empty())
            return Error{Errc::invalid, fmt::format("modparam log_extra: '{}' is no name=value", text::printable(item)),
                         "\"src_user=$fU;src_ip=$si\""};
        auto format = script::Format::compile(text::trim(item.substr(equals + 1)), scope, "modparam acc log_extra");
        if (!format) return std::move(format).error().context("modparam log_extra");
        g_extra.push_back({std::string(text::trim(item.substr(0, equals))), std::move(*format)});
    }
    return {};
}

// A peer's text must not make fields of its own, nor lines.
void append_field(std::string& line, std::string_view name, std::string_view value) {
    line.append(line.empty() ? "" : ";").append(name).append("=");
    for (const char c : value) line.push_back(c == ';' || static_cast<unsigned char>(c) < 0x20 ? '_' : c);
}

// "404 Not found": code and reason.
int log_request(Run& run, const Args& args) {
    const auto level = static_cast<log::Level>(g_log_level.get());
    if (!log::enabled(level)) return 1;
    const std::string_view comment = text::trim(args.text(run, 0));
    const auto code = text::to_int(comment.substr(0, 3));
    const bool coded = comment.size() >= 3 && code && *code >= 100;
    const sip::Message& m = run.message();
    std::string line;
    append_field(line, "timestamp", std::to_string(clock::unix_seconds()));
    append_field(line, "method", script::method_name_of(m));
    append_field(line, "from_tag", m.from() != nullptr ? m.from()->tag : std::string_view());
    append_field(line, "to_tag", m.to() != nullptr ? m.to()->tag : std::string_view());
    append_field(line, "call_id", m.call_id());
    append_field(line, "code", coded ? comment.substr(0, 3) : std::string_view());
    append_field(line, "reason", coded ? text::trim(comment.substr(3)) : comment);
    for (const Extra& extra : g_extra) append_field(line, extra.name, extra.value->text(run));
    script::log_script_line(run, level, "ACC: request accounted: " + line);
    return 1;
}

constexpr Function kFunctions[] = {
    {"acc_log_request", 1, 1, "(string comment)",
     "Writes an accounting line about the request; the comment is a status code and a reason, or a reason.",
     kRequestRoute | kFailureRoute | kEventRoute, log_request},
};

constexpr std::string_view kNotYet =
    "has no effect: transactions are not accounted, only acc_log_request() writes lines";

const Param kParams[] = {
    {.name = "log_level",
     .number = &g_log_level,
     .min = -5,
     .max = 3,
     .help = "Level of the accounting lines.",
     .applies = Applies::at_runtime},
    {.name = "log_extra",
     .kind = ParamKind::text,
     .text = &g_log_extra,
     .help = "More fields of each line: \"src_user=$fU;src_ip=$si\". Variables that need no module."},
    {.name = "log_flag",
     .number = &g_flag,
     .min = 0,
     .max = 31,
     .help = "Flag of requests whose transaction is accounted.",
     .remark = kNotYet},
    {.name = "log_missed_flag",
     .number = &g_missed_flag,
     .min = 0,
     .max = 31,
     .help = "Flag of calls that are accounted when they are missed.",
     .remark = kNotYet},
    {.name = "failed_transaction_flag",
     .number = &g_failed_flag,
     .min = 0,
     .max = 31,
     .help = "Flag of transactions that are accounted also when they fail.",
     .remark = kNotYet},
    {.name = "early_media",
     .number = &g_early_media,
     .min = 0,
     .max = 1,
     .help = "Whether early media (183 with a body) is accounted.",
     .remark = kNotYet},
    {.name = "report_ack",
     .number = &g_report_ack,
     .min = 0,
     .max = 1,
     .help = "Whether ACKs are accounted.",
     .remark = kNotYet},
    {.name = "report_cancels",
     .number = &g_report_cancels,
     .min = 0,
     .max = 1,
     .help = "Whether CANCELs are accounted.",
     .remark = kNotYet},
    {.name = "detect_direction",
     .number = &g_detect_direction,
     .min = 0,
     .max = 1,
     .help = "Whether From and To are swapped for requests of the called side.",
     .remark = kNotYet},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "acc",
    .summary = "Accounting lines in the log.",
    .params = kParams,
    .functions = kFunctions,
    .hooks = {.check = check},
    .description =
        "acc_log_request() writes \"ACC: request accounted: timestamp=...;method=...\" with the fields of "
        "log_extra behind.",
};

}  // namespace kahu::acc
