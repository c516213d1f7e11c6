// core/db/sqlite.cpp -- SQLite behind the database interface.
//
// WAL lets readers go on while one process writes; synchronous=NORMAL loses at most the last transactions of a power
// cut, never the file.
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/text.h"
#include "core/db/driver.h"
#include "core/module/latency.h"

namespace kahu::db {
namespace {

// "/path" of "sqlite:///path"; leading slashes are worth one.
std::string path_of(std::string_view rest) {
    while (rest.size() > 1 && rest[0] == '/' && rest[1] == '/') rest.remove_prefix(1);
    if (rest == "/:memory:") rest.remove_prefix(1);
    return std::string(rest);
}

Error failed(sqlite3* handle, std::string_view doing) {
    const int code = handle == nullptr ? SQLITE_NOMEM : sqlite3_errcode(handle);
    std::string hint;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) hint = "another program keeps the database locked";
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
        hint = fmt::format("user id {} must be able to write the file and its folder", ::geteuid());
    return Error{code == SQLITE_BUSY ? Errc::timeout : Errc::io,
                 fmt::format("sqlite: {}: {}", doing, handle == nullptr ? "out of memory" : sqlite3_errmsg(handle)),
                 std::move(hint)};
}

class SqliteStatement : public Statement {
  public:
    SqliteStatement(sqlite3* handle, sqlite3_stmt* statement) : handle_(handle), statement_(statement) {}
    ~SqliteStatement() override { sqlite3_finalize(statement_); }
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;

    void bind(int at, int64_t value) override { sqlite3_bind_int64(statement_, at, value); }
    void bind(int at, double value) override { sqlite3_bind_double(statement_, at, value); }
    void bind(int at, std::string_view text) override {
        // A null pointer would be a NULL, and the columns are NOT NULL.
        sqlite3_bind_text64(statement_, at, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
    }
    void bind_null(int at) override { sqlite3_bind_null(statement_, at); }

    Result<bool> step() override {
        const latency::Watch watch(latency::limit_db);
        const int code = sqlite3_step(statement_);
        if (const latency::Micros took = watch.took_too_long(); took != 0)
            latency::tell("db.query.slow", sqlite3_sql(statement_), "sqlite", took);
        if (code == SQLITE_ROW) return true;
        if (code == SQLITE_DONE) {
            sqlite3_reset(statement_);
            return false;
        }
        Error error = failed(handle_, text::printable(sqlite3_sql(statement_), 60));
        sqlite3_reset(statement_);
        return error;
    }
    void reset() override { sqlite3_reset(statement_); }

    bool is_null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
    bool is_number(int column) const override {
        const int type = sqlite3_column_type(statement_, column);
        return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    }
    int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
    double real(int column) const override { return sqlite3_column_double(statement_, column); }
    std::string_view text(int column) const override {
        const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        if (bytes == nullptr) return {};
        return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
    }

  private:
    sqlite3* handle_;
    sqlite3_stmt* statement_;
};

class SqliteConnection : public Connection {
  public:
    explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
    ~SqliteConnection() override { sqlite3_close_v2(handle_); }
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    Result<std::unique_ptr<Statement>> prepare(std::string_view sql) override {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                               nullptr) != SQLITE_OK)
            return failed(handle_, text::printable(sql, 60));
        return std::unique_ptr<Statement>(std::make_unique<SqliteStatement>(handle_, statement));
    }
    Status execute(std::string_view sql) override {
        const std::string ended(sql);
        const latency::Watch watch(latency::limit_db);
        const int code = sqlite3_exec(handle_, ended.c_str(), nullptr, nullptr, nullptr);
        if (const latency::Micros took = watch.took_too_long(); took != 0)
            latency::tell("db.query.slow", sql, "sqlite", took);
        if (code != SQLITE_OK) return failed(handle_, text::printable(sql, 60));
        return {};
    }
    int64_t changes() const override { return sqlite3_changes64(handle_); }
    bool has_table(std::string_view table) override {
        auto found = prepare("SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?1");
        if (!found) return false;
        (*found)->bind(1, table);
        const Result<bool> row = (*found)->step();
        return row && *row;
    }
    Status be_durable() override { return execute("PRAGMA synchronous=FULL"); }

  private:
    sqlite3* handle_;
};

Status check(std::string_view rest) {
    const std::string path = path_of(rest);
    if (path.empty() || path.back() == '/')
        return Error{Errc::invalid, "the database URL names no file", "write sqlite:///path/to/file"};
    return {};
}

std::string file_of(std::string_view rest) { return path_of(rest) == ":memory:" ? std::string() : path_of(rest); }

Result<std::unique_ptr<Connection>> open_file(std::string_view rest) {
    if (Status good = check(rest); !good) return good.error();
    const std::string path = path_of(rest);
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    // A new file is for its owner and group: users' passwords may be in it. SQLite's other files take its mode.
    const mode_t before = ::umask(0027);
    const int opened = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    ::umask(before);
    if (opened != SQLITE_OK) {
        Error error = failed(handle, "could not open " + path);
        sqlite3_close_v2(handle);
        return error;
    }
    auto connection = std::make_unique<SqliteConnection>(handle);
    sqlite3_busy_timeout(handle, kBusyMillis);
    if (Status set = connection->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"); !set)
        return std::move(set).error().context(path);
    return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace

const Driver kSqlite{"sqlite", check, open_file, file_of};

}  // namespace kahu::db
