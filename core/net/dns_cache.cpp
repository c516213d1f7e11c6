#include "core/net/dns_cache.h"

#include <cstring>

#include "core/base/hash.h"
#include "mem/contract.h"
#include "mem/guarded.h"

namespace kahu::net {
namespace {

constexpr size_t kSets = 512, kWays = 4;

struct Entry {
    RecordType type;
    uint16_t name_bytes;  // 0: empty
    char name[256];
    DnsAnswer answer;

    bool holds(const DnsKey& key) const {
        return name_bytes != 0 && type == key.type && std::string_view(name, name_bytes) == key.name;
    }
};
struct Set {
    Entry entry[kWays];
    bool repair() {
        for (Entry& e : entry) e.name_bytes = 0;
        return true;
    }
};
using Sets = mem::Guarded<Set>;
Sets* g_sets = nullptr;

Sets& set_of(const DnsKey& key) { return g_sets[(hash_text(key.name) + static_cast<size_t>(key.type)) % kSets]; }

}  // namespace

size_t dns_cache_bytes() { return sizeof(Sets) * kSets; }
void construct_dns_cache(void* at, size_t bytes) {
    REQUIRE(bytes >= dns_cache_bytes());
    g_sets = static_cast<Sets*>(at);  // zero memory: unlocked and empty
}

bool cached_answer(const DnsKey& key, DnsAnswer& out) {
    if (g_sets == nullptr) return false;
    auto set = set_of(key).lock();
    for (const Entry& entry : set->entry) {
        if (!entry.holds(key) || entry.answer.expires <= clock::now_ms()) continue;
        out = entry.answer;
        return true;
    }
    return false;
}

void cache_answer(const DnsKey& key, const DnsAnswer& answer) {
    if (g_sets == nullptr || key.name.empty() || key.name.size() > sizeof Entry{}.name) return;
    auto set = set_of(key).lock();
    Entry* place = nullptr;
    for (Entry& entry : set->entry) {
        if (entry.holds(key)) {
            place = &entry;
            break;
        }
        const auto worth = [](const Entry& e) { return e.name_bytes == 0 ? 0 : e.answer.expires; };
        if (place == nullptr || worth(entry) < worth(*place)) place = &entry;
    }
    place->name_bytes = 0;
    place->type = key.type;
    place->answer = answer;
    std::memcpy(place->name, key.name.data(), key.name.size());
    place->name_bytes = static_cast<uint16_t>(key.name.size());
}

void clear_dns_cache() {
    if (g_sets == nullptr) return;
    for (size_t i = 0; i < kSets; ++i) g_sets[i].lock()->repair();
}

}  // namespace kahu::net
