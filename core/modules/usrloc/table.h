// core/modules/usrloc/table.h -- all contacts, by hash of table and address of record.
//
// WHY    Contacts of one AoR stand next to each other in their bucket's list ("run").  Whatever a REGISTER changes is
//        built beside the list and then put in place of part of the run by one store, so that several contacts change
//        together or not at all, also when the process dies at any instruction.
// LIVES  A part of the segment: kShards locks with their journals, then the buckets.  Bucket b belongs to shard
//        b % kShards.
// LOCKS  One shard at a time, never two; nothing that may wait (database, sockets) is called while one is held.
// DEATH  Shard::repair() frees what was built and not published, or goes on freeing what was replaced, and counts
//        again.  At most one block is lost, if death fell between allocating it and noting it.
// FAILS  When the segment is full, replace() changes nothing and says so.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/modules/usrloc/contact.h"
#include "mem/guarded.h"

namespace kahu::usrloc {

inline constexpr uint32_t kShards = 256;
inline constexpr size_t kMostTables = 8;

struct Shard {
    struct Count {
        int64_t users, contacts;
    };
    // Journal of the change that is being made.
    Contact** link = nullptr;        // not null: `*link` is being changed from `old` to `fresh`
    Contact* fresh = nullptr;        // first of what was built
    Contact* old = nullptr;          // first of what it replaces ...
    Contact* old_end = nullptr;      // ... up to this one, which stays
    Count counts[kMostTables]{};     // visible or expired, not removed
    int64_t expired[kMostTables]{};  // ever

    bool repair();
    bool is_valid() const;  // walks all of its buckets
};

size_t table_bytes(uint32_t buckets);  // REQUIRES: a power of two, at least kShards
void construct_table(void* at, uint32_t buckets);
bool table_exists();
uint32_t bucket_count();

uint32_t hash_of(uint8_t table, std::string_view aor);
inline uint32_t bucket_of(uint32_t hash) { return hash & (bucket_count() - 1); }
mem::Guarded<Shard>& shard_at(uint32_t index);
inline mem::Guarded<Shard>& shard_of_bucket(uint32_t bucket) { return shard_at(bucket % kShards); }
Contact*& bucket_at(uint32_t bucket);  // REQUIRES: its shard is locked

// Builds the list that will take the place of [*link, end), then replace() publishes it.  All while the shard is
// locked; what was not published is freed by the destructor.
class Builder {
  public:
    explicit Builder(Shard& shard) : shard_(shard) {}
    ~Builder();
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;
    // Takes it over; nullptr (out of memory) makes the whole change fail: false.
    bool add(Contact* contact);
    void replace(Contact** link, Contact* end);

  private:
    Shard& shard_;
    Contact* last_ = nullptr;
};

// Totals over all shards; each shard is locked for a moment.
struct Totals {
    int64_t users = 0, contacts = 0, expired = 0;
};
Totals totals(uint8_t table);
// Longest bucket list, for ul.dump.
int64_t longest_bucket();

}  // namespace kahu::usrloc
