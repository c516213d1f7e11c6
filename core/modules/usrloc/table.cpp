#include "core/modules/usrloc/table.h"

#include <algorithm>
#include <atomic>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "mem/contract.h"
#include "mem/failure.h"
#include "mem/segment.h"

namespace kahu::usrloc {
namespace {

mem::Guarded<Shard>* g_shards = nullptr;
Contact** g_buckets = nullptr;
uint32_t g_bucket_count = 0;

// Stores on both sides of it happen in this order, which is what a dead process's successor relies on.
void step() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    mem::injection_point(mem::Point::lock);
}

uint32_t index_of(const Shard& shard) {
    // Guarded<Shard> is opaque; shards lie one behind the other, each inside its guard.
    const auto distance = reinterpret_cast<const char*>(&shard) - reinterpret_cast<const char*>(g_shards);
    return static_cast<uint32_t>(static_cast<size_t>(distance) / sizeof(mem::Guarded<Shard>));
}

// Frees the list up to `end`; each step leaves the journal pointing at what is still to be freed.
void free_list(Contact*& first, const Contact* end) {
    while (first != end && first != nullptr) {
        Contact* const done = first;
        first = done->next;
        step();
        free_contact(done);
    }
}

struct Tally {
    Shard::Count counts[kMostTables]{};
    bool good = true;
};
// Counts what is in the shard's buckets and checks each link.
Tally tally(const Shard& shard) {
    Tally found;
    for (uint32_t bucket = index_of(shard); bucket < g_bucket_count; bucket += kShards) {
        const Contact* previous = nullptr;
        for (const Contact* c = g_buckets[bucket]; c != nullptr; previous = c, c = c->next) {
            if (!mem::segment_contains(c) || c->table >= kMostTables || bucket_of(c->hash) != bucket ||
                !c->is_valid()) {
                found.good = false;
                return found;
            }
            if (c->state == State::removed) continue;
            Shard::Count& count = found.counts[c->table];
            ++count.contacts;
            const bool same_user = previous != nullptr && previous->state != State::removed &&
                                   previous->is_of(c->hash, c->table, c->text(Text::aor));
            count.users += !same_user;
        }
    }
    return found;
}

}  // namespace

size_t table_bytes(uint32_t buckets) {
    return kShards * sizeof(mem::Guarded<Shard>) + size_t{buckets} * sizeof(Contact*);
}
void construct_table(void* at, uint32_t buckets) {
    REQUIRE(buckets >= kShards && (buckets & (buckets - 1)) == 0);
    g_shards = static_cast<mem::Guarded<Shard>*>(at);
    for (uint32_t i = 0; i < kShards; ++i) ::new (g_shards + i) mem::Guarded<Shard>();
    g_buckets = reinterpret_cast<Contact**>(g_shards + kShards);
    std::fill(g_buckets, g_buckets + buckets, nullptr);
    g_bucket_count = buckets;
}
bool table_exists() { return g_shards != nullptr; }
uint32_t bucket_count() { return g_bucket_count; }

uint32_t hash_of(uint8_t table, std::string_view aor) {
    const uint64_t hash = hash_text(aor) + table * 0x9e3779b97f4a7c15u;
    return static_cast<uint32_t>(hash ^ hash >> 32);
}
mem::Guarded<Shard>& shard_at(uint32_t index) {
    INVARIANT(index < kShards);
    return g_shards[index];
}
Contact*& bucket_at(uint32_t bucket) {
    INVARIANT(bucket < g_bucket_count);
    return g_buckets[bucket];
}

bool Shard::is_valid() const {
    const Tally found = tally(*this);
    for (size_t i = 0; i < kMostTables; ++i)
        if (found.counts[i].users != counts[i].users || found.counts[i].contacts != counts[i].contacts) return false;
    return found.good && link == nullptr && fresh == nullptr;
}

bool Shard::repair() {
    bool published = false;
    if (link == nullptr || (old != old_end && *link == old)) {
        free_list(fresh, link == nullptr ? nullptr : old_end);  // the list does not know of it
    } else if (old == old_end) {  // an insertion, or all that was replaced is freed already
        published = fresh == nullptr || *link == fresh;
        if (!published) free_list(fresh, old_end);
    } else {
        published = true;
        free_list(old, old_end);
    }
    fresh = nullptr;
    link = nullptr;
    old = old_end = nullptr;
    const Tally found = tally(*this);
    std::copy(std::begin(found.counts), std::end(found.counts), counts);
    LOG(notice, "usrloc.shard_repaired", kv("shard", index_of(*this)), kv("published", published));
    return found.good;
}

Builder::~Builder() { free_list(shard_.fresh, nullptr); }

bool Builder::add(Contact* contact) {
    if (contact == nullptr) return false;
    contact->next = nullptr;
    step();
    if (last_ == nullptr) shard_.fresh = contact;
    else last_->next = contact;
    last_ = contact;
    step();
    return true;
}

void Builder::replace(Contact** link, Contact* end) {
    shard_.old = *link;
    shard_.old_end = end;
    step();
    shard_.link = link;
    step();
    if (last_ != nullptr) last_->next = end;
    step();
    *link = shard_.fresh != nullptr ? shard_.fresh : end;
    step();
    shard_.fresh = nullptr;
    // From here on the journal says: published, so a death only leaves `old` to be freed.
    last_ = nullptr;
    free_list(shard_.old, end);
    step();
    shard_.link = nullptr;
    step();
}

Totals totals(uint8_t table) {
    Totals sum;
    if (!table_exists()) return sum;
    for (uint32_t i = 0; i < kShards; ++i) {
        auto shard = shard_at(i).lock();
        const Shard& s = *shard;
        sum.users += s.counts[table].users;
        sum.contacts += s.counts[table].contacts;
        sum.expired += s.expired[table];
    }
    return sum;
}

int64_t longest_bucket() {
    int64_t longest = 0;
    for (uint32_t bucket = 0; bucket < g_bucket_count; ++bucket) {
        auto shard = shard_of_bucket(bucket).lock();
        int64_t length = 0;
        for (const Contact* c = bucket_at(bucket); c != nullptr; c = c->next) ++length;
        longest = std::max(longest, length);
    }
    return longest;
}

}  // namespace kahu::usrloc
