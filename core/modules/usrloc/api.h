// core/modules/usrloc/api.h -- the location service for other modules: who is registered where.
//
// WHY    registrar saves and looks up, RPC and tests list; how contacts are kept, written to the database and expired
//        is usrloc's business alone.
// LIVES  Contacts are in the segment (contact.h, table.h): any process sees what any other saved, at once.
// LOCKS  An Aor holds the lock of its shard: keep it short, hold one at a time, send nothing while it lives.
// FAILS  apply() returns false when the segment is full; nothing was changed then.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_id.h"
#include "core/modules/usrloc/contact.h"
#include "core/modules/usrloc/table.h"

namespace kahu::usrloc {

// --- at start, before the first fork ---------------------------------------------------------------------
// The number of the table of that name, made if it is new: save("location") and lookup("location") mean the same.
Result<uint8_t> open_table(std::string_view name);

// --- what the configuration says --------------------------------------------------------------------------
enum class Matching : uint8_t { contact, contact_and_call_id, contact_and_path, call_id };
bool use_domain();
Matching matching_mode();
int64_t cseq_delay();  // seconds
bool newest_first();   // desc_time_order
uint32_t server_id();

std::span<const std::string> table_names();
std::optional<uint8_t> find_table(std::string_view name);

// A new record's id: "uloc-<start>-<pid>-<n>", hexadecimal, unlike any other of this server or of one started at
// another time.  `into` has kRuidBytes.
inline constexpr size_t kRuidBytes = kUniqueIdBytes;
std::string_view make_ruid(char* into);

// --- one address of record, locked -------------------------------------------------------------------------
class Aor {
  public:
    Aor(uint8_t table, std::string_view aor);  // `aor` outlives it
    ~Aor();
    Aor(const Aor&) = delete;
    Aor& operator=(const Aor&) = delete;

    // Visible contacts in the order in which they were first saved.  Valid until apply().
    Contact* first() const { return visible_from(begin_); }
    Contact* next(const Contact* contact) const { return visible_from(contact->next); }
    int64_t now() const { return now_; }  // unix seconds, the same for the whole life of the object

    struct Change {
        Contact* replaces = nullptr;     // nullptr: an additional contact
        const Fields* fields = nullptr;  // nullptr: `replaces` is removed.  Text::aor is filled in here.
    };
    // All changes or none.
    [[nodiscard]] bool apply(std::span<const Change> changes, bool memory_only = false);
    // An addition that came from the database: nothing to be written.
    [[nodiscard]] bool load(const Change& change);

  private:
    Contact* visible_from(Contact* contact) const;
    bool refresh(const Change& change, bool to_be_written);
    bool rebuild(std::span<const Change> changes, bool to_be_written);
    void find();
    void note_for_database();

    uint8_t table_;
    std::string_view aor_;
    uint32_t hash_;
    int64_t now_;
    std::optional<mem::Guarded<Shard>::Access> shard_;
    Contact** link_ = nullptr;  // where the run begins, or where it would
    Contact* begin_ = nullptr;  // nullptr: no run
    Contact* end_ = nullptr;    // behind the run
};

// The AoR whose contact has that ruid, from the hash that Contact::hash gave; empty: there is none.
std::string aor_of_record(uint8_t table, uint32_t hash, std::string_view ruid);

// Removes all contacts of the AoR; how many there were.
size_t remove_all(uint8_t table, std::string_view aor, std::string_view only_ruid = {});

// As Kamailio numbers methods; Numbers::methods.
uint32_t shown_methods(uint32_t methods);

// Called in the timer process, with no lock held, for each contact that has ended by itself (its time, its connection).
// Set once, before the first fork.
using ExpiredHandler = void (*)(uint8_t table, uint32_t hash, const Fields& contact);
void set_expired_handler(ExpiredHandler handler);

}  // namespace kahu::usrloc
