// The text of modparam("htable", "htable", ...).
#include <fmt/format.h>

#include "core/base/text.h"
#include "core/modules/htable/table.h"

namespace kahu::htable {
namespace {

constexpr int64_t kSmallest = 2, kLargest = 24;

bool is_name(std::string_view name) { return !name.empty() && name.find_first_of("$=>;() \t\r\n") == name.npos; }

Status take(std::string_view key, std::string_view value, Config& config) {
    const auto number = text::to_int(value, 0);
    const auto within = [&](int64_t low, int64_t high) -> Status {
        if (number && *number >= low && *number <= high) return {};
        return Error{Errc::invalid,
                     fmt::format("{}={} is no number from {} to {}", key, text::printable(value), low, high), ""};
    };
    Status good;
    if (key == "size") {
        good = within(kSmallest, kLargest);
        if (good) config.size_log2 = static_cast<unsigned>(*number);
    } else if (key == "autoexpire") {
        good = within(0, INT32_MAX);
        if (good) config.autoexpire = *number;
    } else if (key == "initval") {
        good = within(INT64_MIN, INT64_MAX);
        if (good) config.initial = *number;
    } else if (key == "updateexpire") {
        good = within(0, 1);
        if (good) config.update_expire = *number != 0;
    } else if (key == "dmqreplicate") {
        if (number != 0) good = Error{Errc::unsupported, "dmqreplicate: there is no replication", "leave it out"};
    } else if (key == "dbtable") {
        config.database_table = std::string(value);
    } else if (key == "dbmode") {
        good = within(0, 1);
        if (good) config.write_back = *number != 0;
    } else if (key == "cols") {
        for (const std::string_view column : text::split(value, ',')) config.columns.emplace_back(text::trim(column));
        if (config.columns.size() < 2)
            good = Error{Errc::invalid, "cols names a column for the key and at least one more", "cols='name,value'"};
    } else if (key == "coldelim") {
        if (value.size() != 1) good = Error{Errc::invalid, "coldelim is one character", "coldelim=','"};
        else config.column_separator = value.front();
    } else if (key == "colnull") {
        config.column_null = std::string(value);
    } else {
        good = Error{Errc::invalid, fmt::format("'{}' is no property of a table", text::printable(key)),
                     "size, autoexpire, initval, updateexpire, dbtable, dbmode, cols, coldelim, colnull"};
    }
    return good;
}

}  // namespace

Result<Config> parse_config(std::string_view given) {
    const size_t arrow = given.find("=>");
    Config config;
    config.name = std::string(text::trim(given.substr(0, arrow)));
    if (!is_name(config.name))
        return Error{Errc::invalid, fmt::format("'{}' names no table", text::printable(given)),
                     "\"name=>size=8;autoexpire=300;\""};
    if (arrow == given.npos) return config;
    for (std::string_view rest = given.substr(arrow + 2); !text::trim(rest).empty();) {
        const size_t end = rest.find(';');
        const std::string_view item = text::trim(rest.substr(0, end));
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
        if (item.empty()) continue;
        const size_t equals = item.find('=');
        if (equals == item.npos)
            return Error{Errc::invalid, fmt::format("table {}: '{}' has no value", config.name, text::printable(item)),
                         ""};
        std::string_view value = text::trim(item.substr(equals + 1));
        if (value.size() >= 2 && value.front() == value.back() && (value.front() == '\'' || value.front() == '"'))
            value = value.substr(1, value.size() - 2);
        if (Status taken = take(text::trim(item.substr(0, equals)), value, config); !taken)
            return std::move(taken).error().context("table " + config.name);
    }
    return config;
}

}  // namespace kahu::htable
