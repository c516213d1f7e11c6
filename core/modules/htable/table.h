// core/modules/htable/table.h -- named tables of key and value in the segment, shared by all processes.
//
// WHY    The script remembers things from message to message, whichever process gets the next one: banned addresses,
//        counts, settings.
// LIVES  Which tables there are is configured before the fork (`tables()`, the same in every process); locks and
//        buckets are a part of the segment, items are blocks of its heap.
// LOCKS  One shard (a group of buckets) at a time, never two; nothing waits while one is held.
// DEATH  An item appears, changes and goes by one store. Shard::repair() frees what was built and not published, or
//        replaced and not freed; at most one block is lost per death.
// FAILS  set() returns false when the segment is full or texts are too long; nothing changed then.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/script/value.h"
#include "mem/guarded.h"
#include "mem/list_change.h"

namespace kahu::htable {

inline constexpr uint32_t kMostShards = 64;  // per table
inline constexpr size_t kMostTold = 10'000;  // items that end in one sweep and are told of
inline constexpr size_t kLongestKey = 1024, kLongestValue = 60'000;

struct Config {
    std::string name;
    unsigned size_log2 = 8;
    int64_t autoexpire = 0;  // seconds; 0: never
    std::optional<int64_t> initial;
    bool update_expire = true;         // a new value begins a new time
    std::string database_table;        // read from there at start; empty: from nowhere
    bool write_back = false;           // and written when the server stops
    std::vector<std::string> columns;  // key first; empty: those of Kamailio's schema
    char column_separator = ',';
    std::string column_null = "*";
};

struct Item;
struct Shard {
    mem::ListChange<Item> change;
    bool repair();
};

// A copy of one item.
struct Copy {
    std::string key, text;
    bool is_text = false;
    int64_t number = 0;
    int64_t seconds_left = -1;  // -1: never ends
    script::Value value() const { return is_text ? script::Value::of(text) : script::Value::of(number); }
};

class Table {
  public:
    explicit Table(Config config) : config_(std::move(config)) {}
    const Config& config() const { return config_; }
    uint32_t buckets() const { return 1u << config_.size_log2; }

    bool get(std::string_view key, Copy& out);
    enum class Expiry : uint8_t { as_configured, keep, given };
    // REQUIRES: `value` is not null.  `seconds` for Expiry::given; 0: never.
    bool set(std::string_view key, const script::Value& value, Expiry expiry = Expiry::as_configured,
             int64_t seconds = 0);
    // Adds to a number, in one step for all processes; a missing item begins with initval.  nullopt: there is no item
    // and no initval, or it holds text, or the segment is full.
    std::optional<int64_t> add(std::string_view key, int64_t by);
    bool set_seconds_left(std::string_view key, int64_t seconds);  // 0: never; false: no such item
    bool remove(std::string_view key);
    // Visits a copy of every live item, bucket by bucket; `wanted` is called with its bucket's lock held and must not
    // call the table.  Items for which it returns false are removed.
    void filter(const std::function<bool(const Copy&, uint32_t bucket)>& wanted);
    void sweep(std::vector<Copy>* removed = nullptr);  // removes what has expired
    void copy_bucket(uint32_t bucket, std::vector<Copy>& out);
    void clear();

    mem::RobustMutex& script_lock(std::string_view key) const;  // locks.h: of the key's shard

    size_t bytes() const;  // of its part of the segment
    void construct(void* at);

  private:
    mem::Guarded<Shard>& shard_of(uint32_t bucket) const;
    Item** find(std::string_view key, uint64_t hash) const;  // where it hangs, or the end of its list
    bool put(Shard& shard, Item** link, std::string_view key, uint64_t hash, const script::Value& value,
             clock::Millis expires);
    clock::Millis expiry_of(const Item* old, Expiry expiry, int64_t seconds) const;
    uint32_t shards() const { return std::min(buckets(), kMostShards); }

    Config config_;
    mem::Guarded<Shard>* shards_ = nullptr;
    Item** buckets_ = nullptr;
    mem::RobustMutex* script_locks_ = nullptr;  // as many as shards
};

std::deque<Table>& tables();
Table* find_table(std::string_view name);

// "ipban=>size=8;autoexpire=300;initval=0;updateexpire=1;"
Result<Config> parse_config(std::string_view text);

}  // namespace kahu::htable
