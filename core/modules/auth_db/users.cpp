#include "core/modules/auth_db/users.h"

#include <fmt/format.h>

#include <map>
#include <memory>

#include "core/base/log.h"
#include "core/db/database.h"
#include "core/modules/auth/api.h"
#include "core/modules/auth_db/settings.h"

namespace kahu::auth_db {
namespace {

struct Session {
    std::unique_ptr<db::Connection> connection;
    std::map<std::string, std::unique_ptr<db::Statement>> statements;  // by their SQL
    std::map<std::pair<std::string, bool>, std::string> selects;       // SQL of find_user()
};
Session g_session;

Result<db::Connection*> connection() {
    if (g_session.connection == nullptr) {
        auto opened = db::open(settings.db_url.get());
        if (!opened) return opened.error();
        g_session.connection = std::move(*opened);
    }
    return g_session.connection.get();
}

Result<db::Statement*> statement(const std::string& sql) {
    std::unique_ptr<db::Statement>& kept = g_session.statements[sql];
    if (kept == nullptr) {
        const auto open = connection();
        if (!open) return open.error();
        auto prepared = (*open)->prepare(sql);
        if (!prepared) return prepared.error();
        kept = std::move(*prepared);
    }
    return kept.get();
}

std::string where() {
    const std::string user = fmt::format(" WHERE {} = ?1", settings.user_column.get());
    return settings.use_domain == 0 ? user : user + fmt::format(" AND {} = ?2", settings.domain_column.get());
}

const std::string& select_sql(const std::string& table, bool sha256) {
    std::string& sql = g_session.selects[{table, sha256}];
    if (!sql.empty()) return sql;
    sql = "SELECT " + settings.password_column.get();
    if (settings.calculate_ha1 == 0) sql += ", " + settings.password_column_2.get();
    if (sha256) sql += ", " + settings.password_column_sha256.get();
    for (const LoadedColumn& column : loaded_columns()) sql += ", " + column.column;
    return sql += " FROM " + table + where();
}

// A failed call may mean a lost database: the next one begins anew.
template <class T>
Result<T> failed(const Error& error) {
    close_users();
    return error;
}

}  // namespace

Result<std::optional<User>> find_user(const std::string& table, std::string_view user, std::string_view domain,
                                      bool sha256) {
    using Found = std::optional<User>;
    const auto select = statement(select_sql(table, sha256));
    if (!select) return failed<Found>(select.error());
    (*select)->bind(1, user);
    if (settings.use_domain != 0) (*select)->bind(2, domain);
    const Result<bool> row = (*select)->step();
    if (!row) return failed<Found>(row.error());
    if (!*row) return Found();
    User found;
    int column = 0;
    found.password = (*select)->text(column++);
    if (settings.calculate_ha1 == 0) found.ha1_2 = (*select)->text(column++);
    if (sha256) found.ha1_sha256 = (*select)->text(column++);
    for (size_t i = 0; i < loaded_columns().size(); ++i) found.loaded.emplace_back((*select)->text(column++));
    (*select)->reset();
    return Found(std::move(found));
}

Status prepare_table(const std::string& table) {
    const auto open = connection();
    if (!open) return open.error();
    if ((*open)->has_table(table)) return {};
    LOG(notice, "auth_db.table_created", kv("table", table), kv("database", settings.db_url.get()));
    // Kamailio's columns, and HA1 by SHA-256 so that no password need be stored for it.
    return (*open)->execute(
        fmt::format("CREATE TABLE {0} (id INTEGER PRIMARY KEY NOT NULL, username VARCHAR(64) DEFAULT '' NOT NULL, "
                    "domain VARCHAR(64) DEFAULT "
                    "'' NOT NULL, password VARCHAR(64) DEFAULT '' NOT NULL, ha1 VARCHAR(128) DEFAULT '' NOT NULL, ha1b "
                    "VARCHAR(128) DEFAULT "
                    "'' NOT NULL, ha1_sha256 VARCHAR(128) DEFAULT '' NOT NULL, CONSTRAINT {0}_account_idx UNIQUE "
                    "(username, domain)); "
                    "CREATE INDEX {0}_username_idx ON {0} (username)",
                    table));
}

Status add_user(const std::string& table, std::string_view user, std::string_view domain, std::string_view password) {
    using auth::Algorithm;
    const auto open = connection();
    if (!open) return open.error();
    // Passwords are stored as they are only where the configuration reads them so.
    const bool plain = settings.calculate_ha1 != 0;
    const std::string with_domain = fmt::format("{}@{}", user, domain);
    const auto probe = (*open)->prepare(fmt::format("SELECT ha1_sha256 FROM {} LIMIT 0", table));
    const bool sha256 = static_cast<bool>(probe);
    const auto insert = statement(
        fmt::format("INSERT INTO {0} (username, domain, password, ha1, ha1b{1}) VALUES (?1, ?2, ?3, ?4, ?5{2}) ON "
                    "CONFLICT(username, domain) "
                    "DO UPDATE SET password = ?3, ha1 = ?4, ha1b = ?5{3}",
                    table, sha256 ? ", ha1_sha256" : "", sha256 ? ", ?6" : "", sha256 ? ", ha1_sha256 = ?6" : ""));
    if (!insert) return insert.error();
    (*insert)->bind(1, user);
    (*insert)->bind(2, domain);
    (*insert)->bind(3, plain ? password : std::string_view());
    (*insert)->bind(4, auth::ha1_of(Algorithm::md5, user, domain, password).view());
    (*insert)->bind(5, auth::ha1_of(Algorithm::md5, with_domain, domain, password).view());
    if (sha256) (*insert)->bind(6, auth::ha1_of(Algorithm::sha256, user, domain, password).view());
    return (*insert)->run();
}

Result<bool> remove_user(const std::string& table, std::string_view user, std::string_view domain) {
    const auto erase = statement(fmt::format("DELETE FROM {} WHERE username = ?1 AND domain = ?2", table));
    if (!erase) return erase.error();
    (*erase)->bind(1, user);
    (*erase)->bind(2, domain);
    if (Status done = (*erase)->run(); !done) return done.error();
    return g_session.connection->changes() > 0;
}

Result<std::vector<std::string>> list_users(const std::string& table, int64_t skip, int64_t most) {
    const auto select =
        statement(fmt::format("SELECT username, domain FROM {} ORDER BY domain, username LIMIT ?1 OFFSET ?2", table));
    if (!select) return select.error();
    (*select)->bind(1, most);
    (*select)->bind(2, skip);
    std::vector<std::string> users;
    for (;;) {
        const Result<bool> row = (*select)->step();
        if (!row) return row.error();
        if (!*row) return users;
        users.push_back(fmt::format("{}@{}", (*select)->text(0), (*select)->text(1)));
    }
}

void close_users() {
    g_session.statements.clear();  // before their connection
    g_session.selects.clear();
    g_session.connection.reset();
}

}  // namespace kahu::auth_db
