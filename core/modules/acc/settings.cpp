#include "core/modules/acc/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/db/database.h"
#include "core/script/avp_param.h"
#include "core/script/scope.h"

namespace kahu::acc {

Settings settings;

namespace {

std::vector<Extra> g_log_extras, g_db_extras;

std::vector<std::vector<Extra>> g_legs;
std::vector<int> g_filter;

constexpr std::string_view kNoRecords = "has no effect: records of whole calls (CDR) wait for the module dialog";
constexpr std::string_view kNoFacility = "has no effect: all lines go where log_facility of the core says";

constexpr Param flag(std::string_view name, IntSetting& setting, std::string_view help) {
    return {.name = name, .number = &setting, .min = -1, .max = 31, .help = help};
}
constexpr Param yes_no(std::string_view name, IntSetting& setting, std::string_view help) {
    return {.name = name, .number = &setting, .min = 0, .max = 1, .help = help};
}
constexpr Param ignored(std::string_view name, std::string_view help) {
    return {.name = name, .number = &settings.without_effect, .min = 0, .max = 1, .help = help, .remark = kNoRecords};
}
constexpr Param ignored_text(std::string_view name, std::string_view help, std::string_view remark = kNoRecords) {
    return {
        .name = name, .kind = ParamKind::text, .text = &settings.text_without_effect, .help = help, .remark = remark};
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
    yes_no("early_media", settings.early_media, "Whether provisional responses with a body are accounted, too."),
    yes_no(
        "report_ack", settings.report_ack,
        "Whether an ACK to a 2xx is accounted that carries the flag itself and that t_relay() sends on within half a "
        "minute."),
    yes_no("report_cancels", settings.report_cancels, "Whether CANCELs that carry the flag are accounted."),
    yes_no("detect_direction", settings.detect_direction,
           "Whether from_tag and to_tag change places for requests of the side that was called, so that they are those "
           "of the first request. Needs append_fromtag of rr."),
    text_param("failed_filter", settings.failed_filter,
               "Status codes, separated by commas, that failed_transaction_flag does not account: \"404,407\"."),
    text_param("multi_leg_info", settings.multi_leg_info,
               "What each leg of a call has: \"leg_src=$avp(src);leg_dst=$avp(dst)\". One set of fields in the line, "
               "newest first, and one row of a table for each value that these variables have, 16 at most."),
    flag("acc_prepare_flag", settings.acc_prepare_flag,
         "Flag of requests that may get one of the others only in a reply or failure route."),
    yes_no("acc_prepare_always", settings.acc_prepare_always, "Whether that may happen to all requests."),
    yes_no("acc_extra_nullable", settings.acc_extra_nullable,
           "Whether a column of db_extra is NULL, not empty, when its variable is null."),
    text_param("acc_method_column", settings.method_column, "Column of the method."),
    text_param("acc_from_tag_column", settings.from_tag_column, "Column of the tag in From."),
    text_param("acc_to_tag_column", settings.to_tag_column, "Column of the tag in To."),
    text_param("acc_callid_column", settings.callid_column, "Column of the Call-ID."),
    text_param("acc_sip_code_column", settings.code_column, "Column of the status code."),
    text_param("acc_sip_reason_column", settings.reason_column, "Column of the reason phrase."),
    text_param("acc_time_column", settings.time_column, "Column of the time."),
    ignored_text("log_facility", "Syslog facility of the lines.", kNoFacility),
    ignored("cdr_enable", "Whether calls become records."),
    ignored("cdr_log_enable", "Whether records of calls are logged."),
    ignored("cdr_start_on_confirmed", "Whether a record's time begins with the ACK."),
    ignored("cdr_expired_dlg_enable", "Whether calls that end without BYE become records."),
    ignored_text("cdr_extra", "More fields of a record."),
    ignored_text("cdr_facility", "Syslog facility of records."),
    ignored_text("cdrs_table", "Table of records."),
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

// Each field once for each leg: $(avp(src)[0]), $(avp(src)[1]) ...
Status compile_legs() {
    g_legs.clear();
    constexpr std::string_view kStart = "$avp(";
    const script::Scope scope({}, {});
    for (const std::string_view item : text::split(settings.multi_leg_info.get(), ';')) {
        if (text::trim(item).empty()) continue;
        const size_t equals = item.find('=');
        const std::string_view name = text::trim(item.substr(0, equals));
        const std::string_view value = equals == item.npos ? std::string_view() : text::trim(item.substr(equals + 1));
        if (name.empty() || !value.starts_with(kStart) || !value.ends_with(')') ||
            !script::check_avp_param(ParamValue{std::string(value)}))
            return Error{Errc::invalid,
                         fmt::format("modparam multi_leg_info: '{}' is no name=$avp(name)", text::printable(item)),
                         "\"leg_src=$avp(src);leg_dst=$avp(dst)\""};
        g_legs.resize(kMostLegs);
        for (size_t leg = 0; leg < kMostLegs; ++leg) {
            auto format = script::Format::compile(fmt::format("$({}[{}])", value.substr(1), leg), scope,
                                                  "modparam acc multi_leg_info");
            if (!format) return std::move(format).error().context("modparam multi_leg_info");
            g_legs[leg].push_back({std::string(name), std::move(*format)});
        }
    }
    return {};
}

Status read_filter() {
    g_filter.clear();
    if (settings.failed_filter.get().empty()) return {};
    for (const std::string_view item : text::split(settings.failed_filter.get(), ',')) {
        const auto code = text::to_int(text::trim(item));
        if (!code || *code < 300 || *code > 999)
            return Error{Errc::invalid, fmt::format("modparam acc failed_filter: '{}'", text::printable(item)),
                         "status codes from 300 to 999, separated by commas: \"404,407\""};
        g_filter.push_back(static_cast<int>(*code));
    }
    return {};
}

Status check_columns() {
    for (const TextSetting* column :
         {&settings.method_column, &settings.from_tag_column, &settings.to_tag_column, &settings.callid_column,
          &settings.code_column, &settings.reason_column, &settings.time_column})
        if (!db::is_name(column->get()))
            return Error{Errc::invalid, fmt::format("modparam acc: '{}' is no name of a column", column->get()),
                         "letters, digits and _"};
    if (g_legs.empty()) return {};
    for (const Extra& field : g_legs.front())
        if (!db::is_name(field.name))
            return Error{Errc::invalid,
                         fmt::format("modparam acc multi_leg_info: '{}' is no name of a column", field.name),
                         "letters, digits and _"};
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
    return check_columns();
}

}  // namespace

std::span<const Extra> log_extras() { return g_log_extras; }
std::span<const Extra> db_extras() { return g_db_extras; }
std::span<const std::vector<Extra>> legs() { return g_legs; }
std::span<const Param> params() { return kParams; }

std::string_view text_of(const Extra& extra, script::Run& run) {
    return extra.value->value(run).is_null() ? std::string_view() : extra.value->text(run);
}
bool is_filtered(int status) { return std::ranges::find(g_filter, status) != g_filter.end(); }

Status check_settings() {
    if (Status good = compile("log_extra", settings.log_extra, g_log_extras); !good) return good;
    if (Status good = compile("db_extra", settings.db_extra, g_db_extras); !good) return good;
    if (Status good = compile_legs(); !good) return good;
    if (Status good = read_filter(); !good) return good;
    return check_database();
}

}  // namespace kahu::acc
