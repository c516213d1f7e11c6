#include "core/modules/htable/table.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/base/hash.h"
#include "core/modules/htable/locks.h"
#include "mem/contract.h"
#include "mem/heap.h"

namespace kahu::htable {

// Value and time may change in place; the rest stays as it was made.
struct Item {
    Item* next = nullptr;
    clock::Millis expires = 0;  // 0: never
    int64_t number = 0;
    uint64_t hash = 0;
    uint32_t text_bytes = 0;
    uint16_t key_bytes = 0;
    bool is_text = false;

    char* tail() { return reinterpret_cast<char*>(this + 1); }
    std::string_view key() { return {tail(), key_bytes}; }
    std::string_view text() { return {tail() + key_bytes, text_bytes}; }
    bool expired(clock::Millis now) const { return expires != 0 && expires <= now; }
};

namespace {

constexpr mem::Tag kTag = mem::Tag::script;

// 0: never.  As long as a script or command may ask for, nothing overflows.
clock::Millis end_of(int64_t seconds) {
    return seconds <= 0 ? 0 : clock::now_ms() + std::min<int64_t>(seconds, UINT32_MAX) * 1000;
}

void copy_of(Item& item, clock::Millis now, Copy& out) {
    out.key.assign(item.key());
    out.is_text = item.is_text;
    out.text.assign(item.text());
    out.number = item.number;
    out.seconds_left = item.expires == 0 ? -1 : (item.expires - now + 999) / 1000;
}

}  // namespace

bool Shard::repair() {
    change.settle_after_death(kTag);
    return true;
}

// --- where things are ------------------------------------------------------------------------------------------
size_t Table::bytes() const {
    return shards() * (sizeof(mem::Guarded<Shard>) + sizeof(mem::RobustMutex)) + buckets() * sizeof(Item*);
}

void Table::construct(void* at) {
    shards_ = static_cast<mem::Guarded<Shard>*>(at);
    for (uint32_t i = 0; i < shards(); ++i) new (shards_ + i) mem::Guarded<Shard>();
    buckets_ = reinterpret_cast<Item**>(shards_ + shards());  // zero: empty
    script_locks_ = reinterpret_cast<mem::RobustMutex*>(buckets_ + buckets());
    for (uint32_t i = 0; i < shards(); ++i) new (script_locks_ + i) mem::RobustMutex();
}

mem::RobustMutex& Table::script_lock(std::string_view key) const {
    REQUIRE(script_locks_ != nullptr);
    return script_locks_[hash_text(key) & (shards() - 1)];
}

mem::Guarded<Shard>& Table::shard_of(uint32_t bucket) const {
    REQUIRE(shards_ != nullptr);
    return shards_[bucket & (shards() - 1)];
}

Item** Table::find(std::string_view key, uint64_t hash) const {
    Item** link = &buckets_[hash & (buckets() - 1)];
    while (*link != nullptr && ((*link)->hash != hash || (*link)->key() != key)) link = &(*link)->next;
    return link;
}

// --- operations ------------------------------------------------------------------------------------------------
bool Table::get(std::string_view key, Copy& out) {
    const uint64_t hash = hash_text(key);
    auto shard = shard_of(static_cast<uint32_t>(hash & (buckets() - 1))).lock();
    Item* const item = *find(key, hash);
    const clock::Millis now = clock::now_ms();
    if (item == nullptr || item->expired(now)) return false;
    copy_of(*item, now, out);
    return true;
}

clock::Millis Table::expiry_of(const Item* old, Expiry expiry, int64_t seconds) const {
    if (expiry == Expiry::given) return end_of(seconds);
    const bool keep = expiry == Expiry::keep || !config_.update_expire;
    if (keep && old != nullptr) return old->expires;
    return config_.autoexpire == 0 ? 0 : clock::now_ms() + config_.autoexpire * 1000;
}

bool Table::put(Shard& shard, Item** link, std::string_view key, uint64_t hash, const script::Value& value,
                clock::Millis expires) {
    const std::string_view text = value.is_text() ? value.text : std::string_view();
    void* const block = mem::allocate(sizeof(Item) + key.size() + text.size(), kTag);
    if (block == nullptr) return false;
    Item* const item = new (block) Item;
    item->expires = expires;
    item->hash = hash;
    item->is_text = value.is_text();
    item->number = value.is_text() ? 0 : value.number;
    item->key_bytes = static_cast<uint16_t>(key.size());
    item->text_bytes = static_cast<uint32_t>(text.size());
    std::memcpy(item->tail(), key.data(), key.size());
    if (!text.empty()) std::memcpy(item->tail() + key.size(), text.data(), text.size());
    shard.change.apply(link, item, *link, kTag);
    return true;
}

bool Table::set(std::string_view key, const script::Value& value, Expiry expiry, int64_t seconds) {
    if (key.size() > kLongestKey || value.text.size() > kLongestValue) return false;
    const Turn turn(script_lock(key));
    const uint64_t hash = hash_text(key);
    auto shard = shard_of(static_cast<uint32_t>(hash & (buckets() - 1))).lock();
    Item** const link = find(key, hash);
    Item* const old = *link;
    const bool alive = old != nullptr && !old->expired(clock::now_ms());
    const clock::Millis expires = expiry_of(alive ? old : nullptr, expiry, seconds);
    if (old != nullptr && !old->is_text && value.is_integer()) {
        __atomic_store_n(&old->number, value.number, __ATOMIC_RELEASE);
        __atomic_store_n(&old->expires, expires, __ATOMIC_RELEASE);
        return true;
    }
    return put(*shard, link, key, hash, value, expires);
}

std::optional<int64_t> Table::add(std::string_view key, int64_t by) {
    if (key.size() > kLongestKey) return std::nullopt;
    const Turn turn(script_lock(key));
    const uint64_t hash = hash_text(key);
    auto shard = shard_of(static_cast<uint32_t>(hash & (buckets() - 1))).lock();
    Item** const link = find(key, hash);
    Item* const old = *link;
    const bool alive = old != nullptr && !old->expired(clock::now_ms());
    if (!alive && !config_.initial) return std::nullopt;
    if (alive && old->is_text) return std::nullopt;
    const int64_t sum =
        static_cast<int64_t>(static_cast<uint64_t>(alive ? old->number : *config_.initial) + static_cast<uint64_t>(by));
    const clock::Millis expires = expiry_of(alive ? old : nullptr, Expiry::as_configured, 0);
    if (!alive)
        return put(*shard, link, key, hash, script::Value::of(sum), expires) ? std::optional(sum) : std::nullopt;
    __atomic_store_n(&old->number, sum, __ATOMIC_RELEASE);
    __atomic_store_n(&old->expires, expires, __ATOMIC_RELEASE);
    return sum;
}

bool Table::set_seconds_left(std::string_view key, int64_t seconds) {
    const Turn turn(script_lock(key));
    const uint64_t hash = hash_text(key);
    auto shard = shard_of(static_cast<uint32_t>(hash & (buckets() - 1))).lock();
    Item* const item = *find(key, hash);
    const clock::Millis now = clock::now_ms();
    if (item == nullptr || item->expired(now)) return false;
    __atomic_store_n(&item->expires, end_of(seconds), __ATOMIC_RELEASE);
    return true;
}

bool Table::remove(std::string_view key) {
    const Turn turn(script_lock(key));
    const uint64_t hash = hash_text(key);
    auto shard = shard_of(static_cast<uint32_t>(hash & (buckets() - 1))).lock();
    Item** const link = find(key, hash);
    Item* const old = *link;
    if (old == nullptr) return false;
    const bool alive = !old->expired(clock::now_ms());
    shard->change.apply(link, nullptr, old, kTag);
    return alive;
}

void Table::filter(const std::function<bool(const Copy&, uint32_t bucket)>& wanted) {
    const clock::Millis now = clock::now_ms();
    Copy copy;
    for (uint32_t bucket = 0; bucket < buckets(); ++bucket) {
        if (__atomic_load_n(&buckets_[bucket], __ATOMIC_RELAXED) == nullptr) continue;
        auto shard = shard_of(bucket).lock();
        for (Item** link = &buckets_[bucket]; *link != nullptr;) {
            Item* const item = *link;
            bool keep = !item->expired(now);
            if (keep) {
                copy_of(*item, now, copy);
                keep = wanted(copy, bucket);
            }
            if (keep) link = &item->next;
            else shard->change.apply(link, nullptr, item, kTag);
        }
    }
}

void Table::copy_bucket(uint32_t bucket, std::vector<Copy>& out) {
    const clock::Millis now = clock::now_ms();
    auto shard = shard_of(bucket).lock();
    for (Item* item = buckets_[bucket]; item != nullptr; item = item->next)
        if (!item->expired(now)) copy_of(*item, now, out.emplace_back());
}

void Table::sweep(std::vector<Copy>* removed) {
    const clock::Millis now = clock::now_ms();
    for (uint32_t bucket = 0; bucket < buckets(); ++bucket) {
        if (__atomic_load_n(&buckets_[bucket], __ATOMIC_RELAXED) == nullptr) continue;
        auto shard = shard_of(bucket).lock();
        for (Item** link = &buckets_[bucket]; *link != nullptr;) {
            if (!(*link)->expired(now)) {
                link = &(*link)->next;
                continue;
            }
            if (removed != nullptr && removed->size() < kMostTold) copy_of(**link, now, removed->emplace_back());
            shard->change.apply(link, nullptr, *link, kTag);
        }
    }
}

void Table::clear() {
    filter([](const Copy&, uint32_t) { return false; });
}

std::deque<Table>& tables() {
    static std::deque<Table> all;
    return all;
}

Table* find_table(std::string_view name) {
    for (Table& table : tables())
        if (table.config().name == name) return &table;
    return nullptr;
}

}  // namespace kahu::htable
