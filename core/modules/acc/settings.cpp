#include "core/modules/acc/settings.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/db/database.h"
#include "core/script/scope.h"

namespace kahu::acc {

Settings settings;

namespace {

std::vector<Extra> g_log_extras, g_db_extras;

constexpr std::string_view kNoEffect = "has no effect: only the final responses to requests are accounted";

constexpr Param flag(std::string_view name, IntSetting& setting, std::string_view help) {
    return {.name = name, .number = &setting, .min = -1, .max = 31, .help = help};
}
constexpr Param ignored(std::string_view name, std::string_view help) {
    return {.name = name, .number = &settings.without_effect, .min = 0, .max = 1, .help = help, .remark = kNoEffect};
}
constexpr Param text_param(std::string_view name, TextSetting& setting, std::string_view help) {
    return {.name = name, .kind = ParamKind::text, .text = &setting, .help = help};
}

const Param kParams[] = {
    {.name = "log_level",
     .number = &settings.log_level,
     .min = -5,
     .max = 3,
     .help = "Level of the accounting lines.",
     .applies = Applies::at_runtime},
    text_param("log_extra", settings.log_extra,
               "More fields of each line: \"src_user=$fU;src_ip=$si\". Variables that need no module."),
    flag("log_flag", settings.log_flag, "Flag of requests whose final response is written to the log."),
    flag("log_missed_flag", settings.log_missed_flag,
         "Flag of INVITEs that are written to the log when nobody answered them with 2xx."),
    flag("failed_transaction_flag", settings.failed_transaction_flag,
         "Flag of requests that are accounted, by log_flag and db_flag, also when they are answered with 3xx to 6xx."),
    text_param("db_url", settings.db_url, "Where db_flag and db_missed_flag write: sqlite:///path/to/file."),
    flag("db_flag", settings.db_flag, "Flag of requests whose final response becomes a row of db_table_acc."),
    flag("db_missed_flag", settings.db_missed_flag,
         "Flag of INVITEs that become a row of db_table_missed_calls when nobody answered them with 2xx."),
    text_param("db_extra", settings.db_extra, "More columns of each row: \"src_user=$fU;src_ip=$si\"."),
    text_param("db_table_acc", settings.db_table_acc, "Table of transactions; made at start if it is missing."),
    text_param("db_table_missed_calls", settings.db_table_missed_calls,
               "Table of missed calls; made at start if it is missing."),
    ignored("early_media", "Whether early media (183 with a body) is accounted."),
    ignored("report_ack", "Whether ACKs are accounted."),
    ignored("report_cancels", "Whether CANCELs are accounted."),
    ignored("detect_direction", "Whether From and To are swapped for requests of the called side."),
};

Status compile(std::string_view parameter, const TextSetting& setting, std::vector<Extra>& out) {
    out.clear();
    const script::Scope scope({}, {});  // the variables that need no module
    for (const std::string_view item : text::split(setting.get(), ';')) {
        if (text::trim(item).empty()) continue;
        const size_t equals = item.find('=');
        if (equals == item.npos || text::trim(item.substr(0, equals)).empty())
            return Error{Errc::invalid,
                         fmt::format("modparam {}: '{}' is no name=value", parameter, text::printable(item)),
                         "\"src_user=$fU;src_ip=$si\""};
        auto format = script::Format::compile(text::trim(item.substr(equals + 1)), scope,
                                              fmt::format("modparam acc {}", parameter));
        if (!format) return std::move(format).error().context(fmt::format("modparam {}", parameter));
        out.push_back({std::string(text::trim(item.substr(0, equals))), std::move(*format)});
    }
    return {};
}

Status check_database() {
    if (settings.db_flag < 0 && settings.db_missed_flag < 0) return {};
    if (settings.db_url.get().empty())
        return Error{Errc::invalid, "modparam acc: db_flag and db_missed_flag need db_url",
                     "modparam(\"acc\", \"db_url\", \"sqlite:///var/lib/kahu/kahu.db\")"};
    if (Status good = db::check_url(settings.db_url.get()); !good)
        return std::move(good).error().context("modparam acc db_url");
    for (const TextSetting* table : {&settings.db_table_acc, &settings.db_table_missed_calls})
        if (!db::is_name(table->get()))
            return Error{Errc::invalid, fmt::format("modparam acc: '{}' is no name of a table", table->get()),
                         "letters, digits and _"};
    for (const Extra& extra : g_db_extras)
        if (!db::is_name(extra.name))
            return Error{Errc::invalid, fmt::format("modparam acc db_extra: '{}' is no name of a column", extra.name),
                         "letters, digits and _"};
    return {};
}

}  // namespace

std::span<const Extra> log_extras() { return g_log_extras; }
std::span<const Extra> db_extras() { return g_db_extras; }
std::span<const Param> params() { return kParams; }

Status check_settings() {
    if (Status good = compile("log_extra", settings.log_extra, g_log_extras); !good) return good;
    if (Status good = compile("db_extra", settings.db_extra, g_db_extras); !good) return good;
    return check_database();
}

}  // namespace kahu::acc
