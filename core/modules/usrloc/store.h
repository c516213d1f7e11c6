// core/modules/usrloc/store.h -- contacts in the database: the columns of Kamailio's `location` tables.
//
// WHY    Registrations survive a restart, and tools that read the table go on working.
// LIVES  One connection per process, opened when first needed.  Rows are keyed by ruid.
// LOCKS  None; REQUIRES that no shard is locked: a call waits for the disk.
// FAILS  Errors are returned; after one the connection is opened anew at the next call.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/modules/usrloc/contact.h"

namespace kahu::usrloc::store {

// A copy of one contact, or the wish to delete one.
struct Row {
    uint8_t table = 0;
    bool remove = false;
    uint32_t hash = 0;    // where the contact is, for who marks it afterwards
    uint8_t changes = 0;  // Contact::changes when it was copied
    Numbers numbers;
    std::string texts;  // end to end
    std::array<uint16_t, kTexts> bytes{};

    static Row of(uint8_t table, const Fields& fields);
    static Row of(const Contact& contact, bool remove);
    Fields fields() const;
    std::string_view text(Text which) const { return fields()[which]; }
};

// Makes the tables that do not exist yet.  At start.
Status prepare_tables();
// Calls `take` for each row that has not expired.  At start; the connection is closed before it returns.
Status load(uint8_t table, const std::function<bool(const Fields&)>& take);

// All rows in one transaction.
Status write(const std::vector<Row>& rows);

enum class Count : uint8_t { users, contacts, expired_contacts };
Result<int64_t> count(uint8_t table, Count what);
Status remove_expired(uint8_t table);
void close();

}  // namespace kahu::usrloc::store
