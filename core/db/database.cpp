#include "core/db/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/text.h"
#include "core/db/driver.h"
#include "core/proc/daemon.h"
#include "core/proc/settings.h"
#include "core/sip/scan.h"

namespace kahu::db {
namespace {

const Driver* const kDrivers[] = {&kSqlite};

struct Target {
    const Driver* driver;
    std::string_view rest;
};
Result<Target> find_driver(std::string_view url) {
    const size_t at = url.find("://");
    const std::string_view scheme = url.substr(0, at == url.npos ? 0 : at);
    for (const Driver* driver : kDrivers)
        if (text::iequals(driver->scheme, scheme)) return Target{driver, url.substr(at + 3)};
    if (at == url.npos)
        return Error{Errc::invalid, fmt::format("\"{}\" is not a database URL", text::printable(url, 80)),
                     url.ends_with(':')
                         ? "its // began a comment: quotes belong to it, -A 'DBURL=\"sqlite:///path/to/file\"'"
                         : "write sqlite:///path/to/file"};
    return Error{Errc::unsupported, fmt::format("there is no database driver \"{}\"", text::printable(scheme, 40)),
                 "write sqlite:///path/to/file"};
}

}  // namespace

Status Statement::run() {
    const Result<bool> row = step();
    reset();
    if (!row) return row.error();
    return {};
}

Result<std::unique_ptr<Connection>> open(std::string_view url) {
    const Result<Target> target = find_driver(url);
    if (!target) return target.error();
    return target->driver->open(target->rest);
}

Status check_url(std::string_view url) {
    const Result<Target> target = find_driver(url);
    if (!target) return target.error();
    return target->driver->check(target->rest);
}

std::vector<WantedFile> files_of(std::string_view url) {
    const Result<Target> target = find_driver(url);
    const std::string file = target ? target->driver->file(target->rest) : std::string();
    if (file.empty()) return {};
    return {{file, true}};
}

Status make_folder(std::string_view url) {
    const Result<Target> target = find_driver(url);
    if (!target) return target.error();
    const std::string folder = std::filesystem::path(target->driver->file(target->rest)).parent_path().string();
    std::error_code failed;
    if (folder.empty() || !std::filesystem::create_directories(folder, failed)) {
        if (!failed) return {};
        return Error{Errc::io, fmt::format("could not create {}: {}", folder, failed.message()),
                     "create it, or name another folder in db_url"};
    }
    // Passwords or their hashes will be in there.
    using std::filesystem::perms;
    std::filesystem::permissions(folder, perms::owner_all | perms::group_read | perms::group_exec, failed);
    return proc::give_to({proc::settings.user.get(), proc::settings.group.get(), "", ""}, folder);
}

Result<Transaction> Transaction::begin(Connection& connection) {
    if (Status begun = connection.execute("BEGIN IMMEDIATE"); !begun) return begun.error();
    return Transaction(connection);
}
Status Transaction::commit() {
    Connection* const connection = std::exchange(connection_, nullptr);
    Status done = connection->execute("COMMIT");
    if (!done) (void)connection->execute("ROLLBACK");  // the database may have done it itself, and then refuses
    return done;
}
Transaction::~Transaction() {
    if (connection_ != nullptr) (void)connection_->execute("ROLLBACK");
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && !sip::is_digit(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return c == '_' || sip::is_alpha(c) || sip::is_digit(c); });
}

}  // namespace kahu::db
