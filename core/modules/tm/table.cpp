#include "core/modules/tm/table.h"

#include <sys/random.h>

#include <algorithm>
#include <memory>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/modules/tm/aftermath.h"
#include "core/modules/tm/counters.h"
#include "core/modules/tm/observers.h"
#include "core/proc/process_table.h"
#include "mem/contract.h"
#include "mem/segment.h"
#include "mem/slot.h"

namespace kahu::tm {
namespace {

struct Shard {
    mem::RobustMutex lock;
    Transaction* first;
};

struct Table {
    Shard shards[kShards];
    std::atomic<clock::Millis> due[kShards];  // 0: nothing is due
    struct Routed {
        std::atomic<uint64_t> key;   // 0: none
        std::atomic<uint32_t> life;  // incarnation: what a dead process left counts no more
    } routed[mem::kMaxSlots];
};
Table* g_table = nullptr;

Shard& shard_at(uint32_t shard) {
    INVARIANT(g_table != nullptr && shard < kShards);
    return g_table->shards[shard];
}

// What a dead holder left: links are whole, but a transaction that it was making or changing may not be.
void repair(uint32_t shard) {
    Shard& s = shard_at(shard);
    int dropped = 0;
    for (Transaction** link = &s.first; *link != nullptr;) {
        if (!mem::segment_contains(*link)) {
            *link = nullptr;
            ++dropped;
            break;
        }
        Transaction* t = *link;
        if (t->is_valid()) {
            put_right(*t, clock::now_ms());
            link = &t->next;
            continue;
        }
        *link = t->magic == Transaction::kMagic && mem::segment_contains(t->next) ? t->next : nullptr;
        ++dropped;  // its memory is not freed: nobody knows which of it is whole
    }
    note_due(shard, 1);
    LOG(notice, "tm.shard_repaired", kv("shard", shard), kv("transactions_dropped", dropped));
}

}  // namespace

size_t table_bytes() { return sizeof(Table); }
void construct_table(void* at, size_t bytes) {
    REQUIRE(bytes >= sizeof(Table));
    g_table = ::new (at) Table{};
}

Locked::Locked(uint32_t shard) : shard_(shard) {
    Shard& s = shard_at(shard);
    if (s.lock.lock() == mem::Acquired::clean) return;
    repair(shard);
    s.lock.mark_repaired();
}
Locked::~Locked() {
    shard_at(shard_).lock.unlock();
    tell_answered();
}

Transaction* Locked::first() const { return shard_at(shard_).first; }

Transaction* Locked::find(uint32_t label) const {
    Transaction* t = first();
    while (t != nullptr && t->id.label != label) t = t->next;
    return t;
}

void Locked::insert(Transaction* t) {
    uint32_t label = new_label();
    while (label == 0 || find(label) != nullptr) label = new_label();
    t->id = {shard_, label};
    Shard& s = shard_at(shard_);
    t->next = s.first;
    std::atomic_signal_fence(std::memory_order_release);  // whole before it is linked
    s.first = t;
    count_created(*t);
}

void Locked::remove(Transaction* t) {
    Transaction** link = &shard_at(shard_).first;
    while (*link != nullptr && *link != t) link = &(*link)->next;
    REQUIRE(*link == t);
    *link = t->next;
    std::atomic_signal_fence(std::memory_order_release);  // unlinked before it is freed
    count_ended(*t);
    destroy(t);
}

bool Locked::settle(Transaction* t) {
    if (t->over()) {
        remove(t);
        return true;
    }
    if (const clock::Millis at = t->due(); at != kNever) note_due(shard_, at);
    return false;
}

clock::Millis shard_due(uint32_t shard) {
    const clock::Millis at = g_table->due[shard].load(std::memory_order_relaxed);
    return at == 0 ? kNever : at;
}
void note_all_due() {
    for (uint32_t shard = 0; shard < kShards; ++shard)
        if (__atomic_load_n(&shard_at(shard).first, __ATOMIC_RELAXED) != nullptr) note_due(shard, 1);
}
void forget_due(uint32_t shard) { g_table->due[shard].store(0, std::memory_order_relaxed); }

// Under the shard's lock, but for the caller that wants a look at once: both only ever lower it.
void note_due(uint32_t shard, clock::Millis at) {
    std::atomic<clock::Millis>& due = g_table->due[shard];
    const clock::Millis now = due.load(std::memory_order_relaxed);
    if (now == 0 || at < now) due.store(at, std::memory_order_relaxed);
}

uint32_t life_of(int slot) {
    return slot < proc::process_count() ? proc::process(slot).incarnation.load(std::memory_order_relaxed) : 0;
}

bool claim_request(const Locked&, uint64_t key) {
    const int own = mem::current_slot();
    for (int slot = 0; slot < std::min(proc::process_count(), mem::kMaxSlots); ++slot) {
        const auto& other = g_table->routed[slot];
        const bool same = slot != own && other.key.load(std::memory_order_relaxed) == key;
        if (same && other.life.load(std::memory_order_relaxed) == life_of(slot)) return false;
    }
    g_table->routed[own].life.store(life_of(own), std::memory_order_relaxed);
    g_table->routed[own].key.store(key, std::memory_order_relaxed);
    return true;
}

void release_request() {
    auto& own = g_table->routed[mem::current_slot()].key;
    if (own.load(std::memory_order_relaxed) != 0) own.store(0, std::memory_order_relaxed);
}

// Nobody outside can guess the next one: hash_bytes() is keyed.
uint32_t new_label() {
    static uint64_t counter = [] {
        uint64_t start = 0;
        REQUIRE(::getrandom(&start, sizeof start, 0) == sizeof start);
        return start;
    }();
    static int made_by = mem::current_slot();
    if (made_by != mem::current_slot()) {  // forked with the parent's counter
        made_by = mem::current_slot();
        counter ^= hash_bytes(&made_by, sizeof made_by);
    }
    ++counter;
    return static_cast<uint32_t>(hash_bytes(&counter, sizeof counter));
}

}  // namespace kahu::tm
