#include "core/modules/auth_db/settings.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/db/database.h"

namespace kahu::auth_db {

Settings settings;

namespace {

std::vector<LoadedColumn> g_loaded;

Status check_column(const ParamValue& value) {
    const auto* const name = std::get_if<std::string>(&value);
    if (name == nullptr || !db::is_name(*name))
        return Error{Errc::invalid, "that is no name of a column", "letters, digits and \"_\" only"};
    return {};
}
Param column(std::string_view name, TextSetting& at, std::string_view help) {
    return {.name = name, .kind = ParamKind::text, .text = &at, .accept = check_column, .help = help};
}

const Param kParams[] = {
    {.name = "db_url",
     .kind = ParamKind::text,
     .text = &settings.db_url,
     .help = "Where the users are: sqlite:///path/to/file."},
    column("user_column", settings.user_column, "Column of user names."),
    column("domain_column", settings.domain_column, "Column of domains."),
    column("password_column", settings.password_column, "Column of HA1 (MD5), or of passwords with calculate_ha1."),
    column("password_column_2", settings.password_column_2,
           "Column of HA1 (MD5) over user@domain, for phones that send that as user name."),
    column("password_column_sha256", settings.password_column_sha256,
           "Column of HA1 by SHA-256; only read if auth offers it and calculate_ha1 is off."),
    {.name = "calculate_ha1",
     .kind = ParamKind::boolean,
     .number = &settings.calculate_ha1,
     .help = "Whether password_column holds passwords as they are."},
    {.name = "use_domain",
     .kind = ParamKind::boolean,
     .number = &settings.use_domain,
     .help = "Whether users are found by name and domain."},
    {.name = "load_credentials",
     .kind = ParamKind::text,
     .text = &settings.load_credentials,
     .help = "Columns to put into AVPs: \"$avp(name)=column;column\"."},
    {.name = "force_generate_avps",
     .kind = ParamKind::boolean,
     .number = &settings.force_generate_avps,
     .help = "Whether load_credentials holds for users with a wrong password too.",
     .remark = "has no effect: AVPs are set whenever the user is found"},
    {.name = "version_table",
     .number = &settings.ignored,
     .help = "Whether the version of the table is checked.",
     .remark = "has no effect: it is not"},
};

}  // namespace

std::span<const Param> params() { return kParams; }
const std::vector<LoadedColumn>& loaded_columns() { return g_loaded; }

Status check_settings() {
    g_loaded.clear();
    for (std::string_view item : text::split(settings.load_credentials.get(), ';')) {
        item = text::trim(item);
        if (item.empty()) continue;
        const size_t equals = item.find('=');
        const std::string_view name = text::trim(equals == item.npos ? item : item.substr(equals + 1));
        std::string_view avp = equals == item.npos ? name : text::trim(item.substr(0, equals));
        if (avp.starts_with("$avp(") && avp.ends_with(")")) avp = avp.substr(5, avp.size() - 6);
        if (avp.starts_with("s:") || avp.starts_with("i:")) avp.remove_prefix(2);
        if (!db::is_name(name) || avp.empty())
            return Error{Errc::invalid,
                         fmt::format("load_credentials: \"{}\" is not understood", text::printable(item, 60)),
                         "write \"$avp(name)=column\" or \"column\""};
        g_loaded.push_back({std::string(avp), std::string(name)});
    }
    if (Status good = db::check_url(settings.db_url.get()); !good) return std::move(good).error().context("db_url");
    return {};
}

}  // namespace kahu::auth_db
