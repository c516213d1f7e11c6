#include "core/modules/dlgs/records.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

#include "core/base/hash.h"
#include "core/base/unique_id.h"
#include "mem/contract.h"

namespace kahu::dlgs {
namespace {

constexpr mem::Tag kTag = mem::Tag::other;

uint32_t g_buckets_count = 512, g_most = 100'000;
mem::Guarded<Shard>* g_shards = nullptr;
Record** g_buckets = nullptr;

uint32_t shards() { return std::min(g_buckets_count, kMostShards); }
uint32_t bucket_of(uint64_t hash) { return static_cast<uint32_t>(hash & (g_buckets_count - 1)); }
mem::Guarded<Shard>& shard_of(uint32_t bucket) {
    REQUIRE(g_shards != nullptr);
    return g_shards[bucket & (shards() - 1)];
}

Record** find(std::string_view call_id, uint64_t hash) {
    Record** link = &g_buckets[bucket_of(hash)];
    while (*link != nullptr && ((*link)->hash != hash || (*link)->text(Text::call_id) != call_id))
        link = &(*link)->next;
    return link;
}

template <class T>
void store(T& where, T what) {
    __atomic_store_n(&where, what, __ATOMIC_RELEASE);
}

// A block that is not hung in yet; nullptr: too long, or the segment is full.
Record* build(const Texts& texts) {
    size_t bytes = 0;
    for (size_t i = 0; i < kTexts; ++i) {
        if (texts[i].size() > (i == static_cast<size_t>(Text::tags) ? kLongestTags : kLongestText)) return nullptr;
        bytes += texts[i].size();
    }
    void* const block = mem::allocate(sizeof(Record) + bytes, kTag);
    if (block == nullptr) return nullptr;
    Record* const record = new (block) Record;
    char* at = reinterpret_cast<char*>(record + 1);
    for (size_t i = 0; i < kTexts; ++i) {
        record->bytes[i] = static_cast<uint16_t>(texts[i].size());
        at = std::copy(texts[i].begin(), texts[i].end(), at);
    }
    return record;
}

// The same call with other texts, in its place.
bool rebuild(Shard& shard, Record** link, const Texts& texts) {
    Record* const old = *link;
    Record* const fresh = build(texts);
    if (fresh == nullptr) return false;
    fresh->hash = old->hash;
    fresh->started = old->started;
    fresh->answered = old->answered;
    fresh->finished = old->finished;
    fresh->cseq = old->cseq;
    fresh->state = old->state;
    shard.change.apply(link, fresh, old, kTag);
    return true;
}

void enter(Shard& shard, Record& record, State next, int64_t now) {
    if (next == State::Answered) store(record.answered, now);
    store(record.finished, is_over(next) ? now : int64_t{0});
    --shard.counts.active[static_cast<size_t>(record.state)];
    ++shard.counts.active[static_cast<size_t>(next)];
    store(record.state, next);
}

void take_out(Shard& shard, Record** link) {
    const auto state = static_cast<size_t>((*link)->state);
    --shard.counts.active[state];
    ++shard.counts.ended[state];
    shard.change.apply(link, nullptr, *link, kTag);
}

bool has_room() {
    const Counts counts = count_all();
    return std::accumulate(counts.active.begin(), counts.active.end(), uint64_t{0}) < g_most;
}

std::array<uint32_t, kStates> count_shard(uint32_t shard) {
    std::array<uint32_t, kStates> found{};
    for (uint32_t bucket = shard; bucket < g_buckets_count; bucket += shards())
        for (const Record* r = g_buckets[bucket]; r != nullptr; r = r->next) ++found[static_cast<size_t>(r->state)];
    return found;
}

bool is_due(const Record& r, const Lifetimes& lifetimes, int64_t now) {
    if (is_over(r.state)) return r.finished + lifetimes.finish < now;
    if (r.state == State::Confirmed) return r.answered + lifetimes.active < now;
    return r.started + lifetimes.init < now;
}

}  // namespace

// --- a record, a shard -----------------------------------------------------------------------------------------
std::string_view Record::text(Text which) const {
    const char* at = reinterpret_cast<const char*>(this + 1);
    const auto index = static_cast<size_t>(which);
    for (size_t i = 0; i < index; ++i) at += bytes[i];
    return {at, bytes[index]};
}

Texts Record::texts() const {
    Texts all;
    for (size_t i = 0; i < kTexts; ++i) all[i] = text(static_cast<Text>(i));
    return all;
}

size_t Record::count_tag(std::string_view tag) const {
    size_t count = 0;
    std::string_view rest = text(Text::tags);
    while (!rest.empty()) {
        const size_t end = rest.find('\0');
        count += rest.substr(0, end) == tag ? 1 : 0;
        rest.remove_prefix(end + 1);
    }
    return count;
}

uint64_t Counts::ongoing() const {
    uint64_t sum = 0;
    for (size_t i = 0; i < kStates; ++i) sum += is_over(static_cast<State>(i)) ? 0 : active[i];
    return sum;
}

bool Shard::repair() {
    change.settle_after_death(kTag);
    counts.active = count_shard(number);
    return is_valid();
}

bool Shard::is_valid() const {
    for (uint32_t bucket = number; bucket < g_buckets_count; bucket += shards())
        for (const Record* r = g_buckets[bucket]; r != nullptr; r = r->next)
            if (bucket_of(r->hash) != bucket || static_cast<size_t>(r->state) >= kStates) return false;
    return counts.active == count_shard(number);
}

// --- once ------------------------------------------------------------------------------------------------------
void configure_records(unsigned size_log2, uint32_t most) {
    REQUIRE(size_log2 >= 1 && size_log2 <= 16);
    g_buckets_count = 1u << size_log2;
    g_most = most;
}

size_t records_bytes() { return shards() * sizeof(mem::Guarded<Shard>) + g_buckets_count * sizeof(Record*); }

void construct_records(void* at, size_t) {
    g_shards = static_cast<mem::Guarded<Shard>*>(at);
    for (uint32_t i = 0; i < shards(); ++i)
        new (g_shards + i) mem::Guarded<Shard>(mem::ListChange<Record>(), Counts(), i);
    g_buckets = reinterpret_cast<Record**>(g_shards + shards());  // zero: empty
}

// --- one call --------------------------------------------------------------------------------------------------
Begun begin(const Invite& invite, int64_t now) {
    const uint64_t hash = hash_text(invite.call_id);
    const bool room = has_room();
    auto shard = shard_of(bucket_of(hash)).lock();
    Record** const link = find(invite.call_id, hash);
    Record* const old = *link;
    const bool anew = old != nullptr && is_over(old->state) && invite.to_tag.empty() && invite.cseq > old->cseq;
    if (old != nullptr && !anew) return Begun::was_tracked;
    if (old == nullptr && !room) return Begun::refused;
    char ruid[kUniqueIdBytes];
    Record* const fresh = build({invite.call_id,
                                 invite.from_tag,
                                 invite.to_tag,
                                 make_unique_id("dlgs", ruid),
                                 invite.source,
                                 invite.destination,
                                 invite.data,
                                 {}});
    if (fresh == nullptr) return Begun::refused;
    fresh->hash = hash;
    fresh->started = now;
    fresh->cseq = invite.cseq;
    if (old != nullptr) {
        --shard->counts.active[static_cast<size_t>(old->state)];
        ++shard->counts.ended[static_cast<size_t>(old->state)];
    }
    ++shard->counts.active[static_cast<size_t>(State::Init)];
    shard->change.apply(link, fresh, old, kTag);
    return Begun::tracked;
}

bool happened(std::string_view call_id, Event event, std::string_view to_tag, int64_t now) {
    const uint64_t hash = hash_text(call_id);
    auto shard = shard_of(bucket_of(hash)).lock();
    Record** const link = find(call_id, hash);
    if (*link == nullptr) return false;
    const State next = next_state((*link)->state, event);
    if (next == (*link)->state) return true;
    if (next == State::Answered && !to_tag.empty() && (*link)->text(Text::to_tag).empty()) {
        Texts texts = (*link)->texts();
        texts[static_cast<size_t>(Text::to_tag)] = to_tag;
        (void)rebuild(*shard, link, texts);  // without room for it the call goes on nameless
    }
    enter(*shard, **link, next, now);
    return true;
}

bool is_tracked(std::string_view call_id) {
    const uint64_t hash = hash_text(call_id);
    auto shard = shard_of(bucket_of(hash)).lock();
    return *find(call_id, hash) != nullptr;
}

bool add_tag(std::string_view call_id, std::string_view tag) {
    const uint64_t hash = hash_text(call_id);
    auto shard = shard_of(bucket_of(hash)).lock();
    Record** const link = find(call_id, hash);
    if (*link == nullptr || tag.empty() || tag.find('\0') != tag.npos) return false;
    Texts texts = (*link)->texts();
    std::string_view& tags = texts[static_cast<size_t>(Text::tags)];
    if (tags.size() + tag.size() + 1 > kLongestTags) return false;
    char more[kLongestTags];
    char* end = std::copy(tags.begin(), tags.end(), more);
    end = std::copy(tag.begin(), tag.end(), end);
    *end++ = '\0';
    tags = {more, static_cast<size_t>(end - more)};
    return rebuild(*shard, link, texts);
}

bool remove_tag(std::string_view call_id, std::string_view tag) {
    const uint64_t hash = hash_text(call_id);
    auto shard = shard_of(bucket_of(hash)).lock();
    Record** const link = find(call_id, hash);
    if (*link == nullptr || tag.empty()) return false;
    if ((*link)->count_tag(tag) == 0) return true;
    Texts texts = (*link)->texts();
    std::string_view& tags = texts[static_cast<size_t>(Text::tags)];
    char rest[kLongestTags];
    char* end = rest;
    bool removed = false;
    while (!tags.empty()) {
        const std::string_view one = tags.substr(0, tags.find('\0') + 1);
        tags.remove_prefix(one.size());
        if (!removed && one.substr(0, one.size() - 1) == tag) removed = true;
        else end = std::copy(one.begin(), one.end(), end);
    }
    tags = {rest, static_cast<size_t>(end - rest)};
    return rebuild(*shard, link, texts);
}

// --- all -------------------------------------------------------------------------------------------------------
void for_each(const std::function<bool(const Record&)>& look) {
    for (uint32_t bucket = 0; bucket < g_buckets_count; ++bucket) {
        if (__atomic_load_n(&g_buckets[bucket], __ATOMIC_RELAXED) == nullptr) continue;
        auto shard = shard_of(bucket).lock();
        for (const Record* r = g_buckets[bucket]; r != nullptr; r = r->next)
            if (!look(*r)) return;
    }
}

Counts count_all() {
    Counts all;
    for (uint32_t i = 0; i < shards(); ++i) {
        auto shard = g_shards[i].lock();
        for (size_t state = 0; state < kStates; ++state) {
            all.active[state] += shard->counts.active[state];
            all.ended[state] += shard->counts.ended[state];
        }
    }
    return all;
}

void sweep(const Lifetimes& lifetimes, int64_t now) {
    for (uint32_t bucket = 0; bucket < g_buckets_count; ++bucket) {
        if (__atomic_load_n(&g_buckets[bucket], __ATOMIC_RELAXED) == nullptr) continue;
        auto shard = shard_of(bucket).lock();
        for (Record** link = &g_buckets[bucket]; *link != nullptr;) {
            if (is_due(**link, lifetimes, now)) take_out(*shard, link);
            else link = &(*link)->next;
        }
    }
}

bool records_are_valid() {
    for (uint32_t i = 0; i < shards(); ++i)
        if (!g_shards[i].lock()->is_valid()) return false;
    return true;
}

}  // namespace kahu::dlgs
