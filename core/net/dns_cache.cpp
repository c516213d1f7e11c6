#include "core/net/dns_cache.h"

#include <cstring>
#include <vector>

#include "core/base/hash.h"
#include "mem/contract.h"
#include "mem/guarded.h"

namespace kahu::net {
namespace {

constexpr size_t kSets = 512, kWays = 4;

struct Entry {
    RecordType type;
    bool permanent;
    uint16_t name_bytes;  // 0: empty
    char name[256];
    clock::Millis last_used;
    DnsAnswer answer;

    std::string_view text() const { return {name, name_bytes}; }
    bool alive(clock::Millis now) const { return name_bytes != 0 && answer.expires > now; }
    bool holds(const DnsKey& key) const { return name_bytes != 0 && type == key.type && text() == key.name; }
};
struct Set {
    Entry entry[kWays];

    bool repair() {
        for (Entry& e : entry) e.name_bytes = 0;
        return true;
    }
    Entry* find(const DnsKey& key, clock::Millis now) {
        for (Entry& e : entry)
            if (e.holds(key) && e.alive(now)) return &e;
        return nullptr;
    }
    // The entry of that name, else an empty one, else the one that expires first; nullptr: all are permanent.
    Entry* place_for(const DnsKey& key) {
        const auto worth = [](const Entry& e) { return e.name_bytes == 0 ? 0 : e.answer.expires; };
        Entry* place = nullptr;
        for (Entry& e : entry) {
            if (e.holds(key)) return &e;
            if (place == nullptr || worth(e) < worth(*place)) place = &e;
        }
        return place->name_bytes != 0 && place->permanent ? nullptr : place;
    }
    void put(Entry& place, const DnsKey& key, const DnsAnswer& answer, bool permanent) {
        place.name_bytes = 0;
        place.type = key.type;
        place.permanent = permanent;
        place.last_used = clock::now_ms();
        place.answer = answer;
        std::memcpy(place.name, key.name.data(), key.name.size());
        place.name_bytes = static_cast<uint16_t>(key.name.size());
    }
};
using Sets = mem::Guarded<Set>;
Sets* g_sets = nullptr;

Sets& set_of(const DnsKey& key) { return g_sets[(hash_text(key.name) + static_cast<size_t>(key.type)) % kSets]; }

bool can_be_kept(const DnsKey& key) {
    return g_sets != nullptr && !key.name.empty() && key.name.size() <= sizeof Entry{}.name;
}
CachedName copy_of(const Entry& entry) {
    return {{entry.type, std::string(entry.text())}, entry.answer, entry.permanent, entry.last_used};
}

}  // namespace

size_t dns_cache_bytes() { return sizeof(Sets) * kSets; }
void construct_dns_cache(void* at, size_t bytes) {
    REQUIRE(bytes >= dns_cache_bytes());
    g_sets = static_cast<Sets*>(at);  // zero memory: unlocked and empty
}

bool cached_answer(const DnsKey& key, DnsAnswer& out) {
    if (g_sets == nullptr) return false;
    auto set = set_of(key).lock();
    Entry* entry = set->find(key, clock::now_ms());
    if (entry == nullptr) return false;
    entry->last_used = clock::now_ms();
    out = entry->answer;
    return true;
}

void cache_answer(const DnsKey& key, const DnsAnswer& answer) {
    if (!can_be_kept(key)) return;
    auto set = set_of(key).lock();
    Entry* place = set->place_for(key);
    if (place != nullptr && !(place->holds(key) && place->permanent)) set->put(*place, key, answer, false);
}

void for_each_cached(const std::function<void(const CachedName&)>& see) {
    for (size_t i = 0; g_sets != nullptr && i < kSets; ++i) {
        std::vector<CachedName> found;
        {
            auto set = g_sets[i].lock();
            for (const Entry& entry : set->entry)
                if (entry.alive(clock::now_ms())) found.push_back(copy_of(entry));
        }
        for (const CachedName& one : found) see(one);
    }
}

bool find_cached(const DnsKey& key, CachedName& out) {
    if (g_sets == nullptr) return false;
    auto set = set_of(key).lock();
    const Entry* entry = set->find(key, clock::now_ms());
    if (entry != nullptr) out = copy_of(*entry);
    return entry != nullptr;
}

bool add_to_dns_cache(const DnsKey& key, const DnsRecord* record, clock::Millis lifetime, bool permanent) {
    if (!can_be_kept(key)) return false;
    auto set = set_of(key).lock();
    DnsAnswer answer;
    answer.kind = DnsAnswer::Kind::nothing;
    if (record != nullptr) {
        const Entry* known = set->find(key, clock::now_ms());
        if (known != nullptr && known->answer.kind == DnsAnswer::Kind::records) answer = known->answer;
        answer.kind = DnsAnswer::Kind::records;
        if (!answer.add(*record)) return false;
    }
    answer.expires = permanent ? kNeverExpires : clock::now_ms() + lifetime;
    Entry* place = set->place_for(key);
    if (place != nullptr) set->put(*place, key, answer, permanent);
    return place != nullptr;
}

bool forget_cached(const DnsKey& key) {
    if (g_sets == nullptr) return false;
    auto set = set_of(key).lock();
    Entry* entry = set->find(key, clock::now_ms());
    if (entry != nullptr) entry->name_bytes = 0;
    return entry != nullptr;
}

void clear_dns_cache(bool permanent_too) {
    for (size_t i = 0; g_sets != nullptr && i < kSets; ++i) {
        auto set = g_sets[i].lock();
        for (Entry& entry : set->entry)
            if (permanent_too || !entry.permanent) entry.name_bytes = 0;
    }
}

size_t dns_cache_entry_bytes() { return sizeof(Entry); }

}  // namespace kahu::net
