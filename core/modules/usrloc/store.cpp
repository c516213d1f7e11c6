#include "core/modules/usrloc/store.h"

#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/db/database.h"
#include "core/modules/usrloc/api.h"
#include "core/modules/usrloc/methods.h"
#include "core/modules/usrloc/settings.h"
#include "core/net/listener.h"

namespace kahu::usrloc::store {
namespace {

struct Session {
    std::unique_ptr<db::Connection> connection;
    std::unique_ptr<db::Statement> upsert[kMostTables], erase[kMostTables];
};
Session g_session;

Result<db::Connection*> connection() {
    if (g_session.connection == nullptr) {
        auto opened = db::open(settings.db_url.get());
        if (!opened) return opened.error();
        // Who writes at once promises with its 200 that the contact will be there.
        const bool at_once = settings.mode() == DbMode::write_through || settings.mode() == DbMode::db_only;
        if (Status set = at_once ? (*opened)->be_durable() : Status(); !set) return std::move(set).error();
        g_session.connection = std::move(*opened);
    }
    return g_session.connection.get();
}

// What Kamailio's scripts create for SQLite, with the column names of the configuration.
std::string create_statement(std::string_view table) {
    const auto c = [](Column which) -> const std::string& { return settings.column(which); };
    const std::string_view stamp =
        settings.expires_type != 0 ? "INTEGER DEFAULT 0 NOT NULL" : "TIMESTAMP DEFAULT '2000-01-01 00:00:01' NOT NULL";
    return fmt::format(
        "CREATE TABLE {} (id INTEGER PRIMARY KEY NOT NULL, {} VARCHAR(64) DEFAULT '' NOT NULL UNIQUE, {} VARCHAR(64) "
        "DEFAULT '' "
        "NOT NULL, {} VARCHAR(64) DEFAULT NULL, {} VARCHAR(512) DEFAULT '' NOT NULL, {} VARCHAR(255) DEFAULT NULL, {} "
        "VARCHAR(512) DEFAULT NULL, {} {}, {} REAL DEFAULT 1.0 NOT NULL, {} VARCHAR(255) DEFAULT '' NOT NULL, {} "
        "INTEGER "
        "DEFAULT 1 NOT NULL, {} {}, {} INTEGER DEFAULT 0 NOT NULL, {} INTEGER DEFAULT 0 NOT NULL, {} VARCHAR(255) "
        "DEFAULT '' "
        "NOT NULL, {} VARCHAR(64) DEFAULT NULL, {} INTEGER DEFAULT NULL, {} VARCHAR(255) DEFAULT NULL, {} INTEGER "
        "DEFAULT 0 "
        "NOT NULL, {} INTEGER DEFAULT 0 NOT NULL, {} INTEGER DEFAULT 0 NOT NULL, {} INTEGER DEFAULT 0 NOT NULL, {} "
        "INTEGER "
        "DEFAULT 0 NOT NULL)",
        table, c(Column::ruid), c(Column::username), c(Column::domain), c(Column::contact), c(Column::received),
        c(Column::path), c(Column::expires), stamp, c(Column::q), c(Column::callid), c(Column::cseq),
        c(Column::last_modified), stamp, c(Column::flags), c(Column::cflags), c(Column::user_agent), c(Column::socket),
        c(Column::methods), c(Column::instance), c(Column::reg_id), c(Column::server_id), c(Column::connection_id),
        c(Column::keepalive), c(Column::partition));
}

std::string column_list() {
    std::string list;
    for (size_t i = 0; i < kColumns; ++i) list += (i == 0 ? "" : ", ") + settings.columns[i].get();
    return list;
}
std::string upsert_statement(std::string_view table) {
    std::string values, updates;
    for (size_t i = 0; i < kColumns; ++i) {
        values += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
        if (i != 0) updates += fmt::format("{0}{1} = excluded.{1}", i == 1 ? "" : ", ", settings.columns[i].get());
    }
    return fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT({}) DO UPDATE SET {}", table, column_list(), values,
                       settings.column(Column::ruid), updates);
}

Result<db::Statement*> statement(std::unique_ptr<db::Statement>& kept, const std::string& sql) {
    if (kept == nullptr) {
        const auto open = connection();
        if (!open) return open.error();
        auto prepared = (*open)->prepare(sql);
        if (!prepared) return prepared.error();
        kept = std::move(*prepared);
    }
    return kept.get();
}

// --- values ----------------------------------------------------------------------------------------------
// Kamailio writes local time.
std::string stamp_text(int64_t unix_seconds) { return clock::local_text(unix_seconds); }

// Text as above, unix seconds (expires_type 1), or a Julian day.
int64_t read_stamp(const db::Statement& row, int column) {
    if (row.is_number(column)) {
        const double value = row.real(column);
        return value > 1e6 && value < 1e7 ? static_cast<int64_t>((value - 2440587.5) * 86400.0) : row.integer(column);
    }
    tm parts{};
    const std::string text(row.text(column));
    if (::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &parts) == nullptr) return 1;
    parts.tm_isdst = -1;
    return ::mktime(&parts);
}
// 0 is "never"; local midnight of 1970 may be a few hours off it.
uint32_t expiry_of(int64_t stamp) {
    return stamp > -86400 && stamp < 86400 && stamp != 1 ? 0 : static_cast<uint32_t>(stamp);
}

void bind_stamp(db::Statement& to, Column column, int64_t unix_seconds) {
    const int at = static_cast<int>(column) + 1;
    if (settings.expires_type != 0) to.bind(at, unix_seconds);
    else to.bind(at, std::string_view(stamp_text(unix_seconds)));
}
void bind_optional(db::Statement& to, Column column, std::string_view text) {
    const int at = static_cast<int>(column) + 1;
    if (text.empty()) to.bind_null(at);
    else to.bind(at, text);
}

void bind_row(db::Statement& to, const Fields& f) {
    const auto text = [&](Column column, std::string_view value) { to.bind(static_cast<int>(column) + 1, value); };
    const auto number = [&](Column column, int64_t value) { to.bind(static_cast<int>(column) + 1, value); };
    std::string_view user = f[Text::aor], domain;
    if (const size_t at = user.rfind('@'); use_domain() && at != user.npos) {
        domain = user.substr(at + 1);
        user = user.substr(0, at);
    }
    text(Column::ruid, f[Text::ruid]);
    text(Column::username, user);
    bind_optional(to, Column::domain, domain);
    text(Column::contact, f[Text::uri]);
    bind_optional(to, Column::received, f[Text::received]);
    bind_optional(to, Column::path, f[Text::path]);
    bind_stamp(to, Column::expires, f.expires);
    to.bind(static_cast<int>(Column::q) + 1, f.q == Numbers::kNoQ ? -1.0 : f.q / 1000.0);
    text(Column::callid, f[Text::call_id]);
    number(Column::cseq, f.cseq);
    bind_stamp(to, Column::last_modified, f.last_modified);
    number(Column::flags, f.flags);
    number(Column::cflags, f.cflags);
    text(Column::user_agent, f[Text::user_agent]);
    bind_optional(to, Column::socket, f.socket < net::listeners().size() ? net::listeners()[f.socket].text() : "");
    if (f.methods == UINT32_MAX) to.bind_null(static_cast<int>(Column::methods) + 1);
    else number(Column::methods, to_kamailio_methods(f.methods));
    bind_optional(to, Column::instance, f[Text::instance]);
    number(Column::reg_id, f.reg_id);
    number(Column::server_id, f.server_id);
    number(Column::connection_id, f.connection == 0 ? -1 : static_cast<int64_t>(f.connection));
    number(Column::keepalive, 0);
    number(Column::partition, 0);
}

uint16_t listener_named(std::string_view text) {
    for (const net::Listener& listener : net::listeners())
        if (listener.text() == text) return listener.index;
    return net::kAnyListener;
}

// The texts stay valid until the row's next step, but for the AoR, which is put together in `aor`.
Fields read_row(const db::Statement& row, std::string& aor) {
    const auto text = [&](Column column) { return row.text(static_cast<int>(column)); };
    const auto number = [&](Column column) { return row.integer(static_cast<int>(column)); };
    Fields f;
    aor = text(Column::username);
    if (use_domain()) aor.append("@").append(text(Column::domain));
    f[Text::aor] = aor;
    f[Text::uri] = text(Column::contact);
    f[Text::call_id] = text(Column::callid);
    f[Text::user_agent] = text(Column::user_agent);
    f[Text::received] = text(Column::received);
    f[Text::path] = text(Column::path);
    f[Text::instance] = text(Column::instance);
    f[Text::ruid] = text(Column::ruid);
    f.expires = expiry_of(read_stamp(row, static_cast<int>(Column::expires)));
    f.last_modified = static_cast<uint32_t>(read_stamp(row, static_cast<int>(Column::last_modified)));
    const double q = row.real(static_cast<int>(Column::q));
    f.q = q < 0 || q > 1 ? Numbers::kNoQ : static_cast<int16_t>(q * 1000 + 0.5);
    f.cseq = static_cast<uint32_t>(number(Column::cseq));
    f.flags = static_cast<uint32_t>(number(Column::flags));
    f.cflags = static_cast<uint32_t>(number(Column::cflags));
    if (!row.is_null(static_cast<int>(Column::methods)))
        f.methods = from_kamailio_methods(static_cast<uint32_t>(number(Column::methods)));
    f.reg_id = static_cast<uint32_t>(number(Column::reg_id));
    f.server_id = static_cast<uint32_t>(number(Column::server_id));
    f.socket = listener_named(text(Column::socket));
    // Its connection ended with the server that wrote the row; ids begin anew with each start.
    return f;
}

Status write_row(const Row& row) {
    const std::string& table = table_names()[row.table];
    if (row.remove) {
        const auto erase = statement(g_session.erase[row.table],
                                     fmt::format("DELETE FROM {} WHERE {} = ?1", table, settings.column(Column::ruid)));
        if (!erase) return erase.error();
        (*erase)->bind(1, row.text(Text::ruid));
        return (*erase)->run();
    }
    const auto upsert = statement(g_session.upsert[row.table], upsert_statement(table));
    if (!upsert) return upsert.error();
    bind_row(**upsert, row.fields());
    return (*upsert)->run();
}

Status write_all(const std::vector<Row>& rows) {
    const auto open = connection();
    if (!open) return open.error();
    auto transaction = db::Transaction::begin(**open);
    if (!transaction) return transaction.error();
    for (const Row& row : rows)
        if (Status written = write_row(row); !written) return written;
    return transaction->commit();
}

}  // namespace

Row Row::of(uint8_t table, const Fields& fields) {
    Row row;
    row.table = table;
    row.numbers = fields;
    for (size_t i = 0; i < kTexts; ++i) {
        row.bytes[i] = static_cast<uint16_t>(fields.texts[i].size());
        row.texts.append(fields.texts[i]);
    }
    return row;
}
Row Row::of(const Contact& contact, bool remove) {
    Row row = of(contact.table, contact.fields());
    row.remove = remove;
    row.hash = contact.hash;
    row.changes = contact.changes;
    return row;
}
Fields Row::fields() const {
    Fields out;
    static_cast<Numbers&>(out) = numbers;
    const char* at = texts.data();
    for (size_t i = 0; i < kTexts; at += bytes[i], ++i) out.texts[i] = {at, bytes[i]};
    return out;
}

Status prepare_tables() {
    const auto open = connection();
    if (!open) return open.error();
    for (const std::string& table : table_names()) {
        if ((*open)->has_table(table)) continue;
        LOG(notice, "usrloc.table_created", kv("table", table), kv("database", settings.db_url.get()));
        Status made = (*open)->execute(create_statement(table));
        if (made)
            made = (*open)->execute(
                fmt::format("CREATE INDEX {0}_expires_idx ON {0} ({1})", table, settings.column(Column::expires)));
        if (!made) return made;
    }
    return {};
}

Status load(uint8_t table, const std::function<bool(const Fields&)>& take) {
    const auto open = connection();
    if (!open) return open.error();
    std::string sql = fmt::format("SELECT {} FROM {}", column_list(), table_names()[table]);
    if (settings.server_id_filter != 0)
        sql += fmt::format(" WHERE {} = {}", settings.column(Column::server_id), server_id());
    auto rows = (*open)->prepare(sql);
    if (!rows) return rows.error();
    std::string aor;
    const int64_t now = clock::unix_seconds();
    for (;;) {
        const Result<bool> row = (*rows)->step();
        if (!row) return row.error();
        if (!*row) return {};
        const Fields fields = read_row(**rows, aor);
        if (!fields.live(now)) continue;
        if (!take(fields)) return Error{Errc::no_memory, "the segment is too small for all contacts", "raise -m"};
    }
}

Status write(const std::vector<Row>& rows) {
    if (rows.empty()) return {};
    Status written = write_all(rows);
    if (!written) close();
    return written;
}

Result<int64_t> count(uint8_t table, Count what) {
    const auto open = connection();
    if (!open) return open.error();
    const std::string& user = settings.column(Column::username);
    const std::string counted =
        what != Count::users
            ? "*"
            : fmt::format("DISTINCT {}{}", user, use_domain() ? " || '@' || " + settings.column(Column::domain) : "");
    auto rows =
        (*open)->prepare(fmt::format("SELECT count({}) FROM {} WHERE {} {} ?1", counted, table_names()[table],
                                     settings.column(Column::expires), what == Count::expired_contacts ? "<=" : ">"));
    if (!rows) return rows.error();
    const int64_t now = clock::unix_seconds();
    if (settings.expires_type != 0) (*rows)->bind(1, now);
    else (*rows)->bind(1, std::string_view(stamp_text(now)));
    const Result<bool> row = (*rows)->step();
    if (!row) return row.error();
    return *row ? (*rows)->integer(0) : 0;
}

Status remove_expired(uint8_t table) {
    const auto open = connection();
    if (!open) return open.error();
    const std::string& expires = settings.column(Column::expires);
    const int64_t now = clock::unix_seconds() - settings.rm_expired_delay;
    if (settings.expires_type != 0)
        return (*open)->execute(
            fmt::format("DELETE FROM {0} WHERE {1} > 0 AND {1} <= {2}", table_names()[table], expires, now));
    return (*open)->execute(
        fmt::format("DELETE FROM {0} WHERE typeof({1}) = 'text' AND {1} > '1970-01-03' AND {1} <= '{2}'",
                    table_names()[table], expires, stamp_text(now)));
}

void close() { g_session = {}; }

}  // namespace kahu::usrloc::store
