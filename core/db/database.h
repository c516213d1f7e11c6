// core/db/database.h -- tables kept outside the server: contacts, subscribers.
//
// WHY    Modules say what they want in SQL that SQLite, PostgreSQL and MariaDB all read; a driver is one file behind
//        these classes.
// LIVES  Process-private.  A connection must not be carried over a fork: open it in the process that uses it.
// LOCKS  Calls wait for the database (SQLite: up to kBusyMillis for another writer): never call them while a lock in
//        the segment is held.
// FAILS  Every call returns a Result; the text names the database and what it said.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/module/descriptor.h"

namespace kahu::db {

constexpr int kBusyMillis = 2000;

// A prepared statement.  Parameters are numbered from 1 ("?1"), columns from 0.
class Statement {
  public:
    virtual ~Statement() = default;
    virtual void bind(int parameter, int64_t value) = 0;
    virtual void bind(int parameter, double value) = 0;
    virtual void bind(int parameter, std::string_view text) = 0;  // copied
    virtual void bind_null(int parameter) = 0;
    // True: a row is there; false: there are no more, and the statement may be bound and run again.
    virtual Result<bool> step() = 0;
    virtual void reset() = 0;  // forgets rows that were not read

    virtual bool is_null(int column) const = 0;
    virtual bool is_number(int column) const = 0;
    virtual int64_t integer(int column) const = 0;
    virtual double real(int column) const = 0;
    virtual std::string_view text(int column) const = 0;  // until the next step() or reset(); null is ""

    // For statements without rows.
    Status run();
};

class Connection {
  public:
    virtual ~Connection() = default;
    virtual Result<std::unique_ptr<Statement>> prepare(std::string_view sql) = 0;
    virtual Status execute(std::string_view sql) = 0;  // may hold several statements
    virtual int64_t changes() const = 0;               // rows that the last statement inserted, updated or deleted
    virtual bool has_table(std::string_view table) = 0;
    // From here on what was written is on the disk when the call returns: it outlives the machine's failure, not only
    // the processes'.  Costs a wait for the disk each time.
    virtual Status be_durable() = 0;
};

// "sqlite:///var/lib/kahu/kahu.sqlite"; ":memory:" as path is a database of this connection only.  More slashes than
// three mean the same; two make the path relative.
Result<std::unique_ptr<Connection>> open(std::string_view url);
// Whether open() may succeed: scheme and path are there.  For `kahu -c`: touches no file.
Status check_url(std::string_view url);
// The file that open() makes or writes to, as a module's hook `files` tells it; none: the database is no file.
std::vector<WantedFile> files_of(std::string_view url);
// Makes the folder of the database's file if it is missing, for the user that the server will run as. For the hook
// `open`, which has the privileges for it.
Status make_folder(std::string_view url);

// Writes between construction and commit() appear together or not at all.
class Transaction {
  public:
    static Result<Transaction> begin(Connection& connection);
    Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Status commit();

  private:
    explicit Transaction(Connection& connection) : connection_(&connection) {}
    Connection* connection_;
};

// Names of tables and columns come from the configuration and go into SQL text: letters, digits, "_" only.
bool is_name(std::string_view name);

}  // namespace kahu::db
