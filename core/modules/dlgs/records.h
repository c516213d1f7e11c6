// core/modules/dlgs/records.h -- the calls that are tracked, by Call-ID, in the segment.
//
// WHY    Any worker may get any message of a call, and all ask how many there are.
// LIVES  Locks, counts and buckets are a part of the segment; a call is one block of its heap.
// LOCKS  One shard (a group of buckets) at a time, never two; nothing waits while one is held.
// DEATH  A call appears, is replaced and goes by one store (mem/list_change.h); its state is one store, behind the time
//        that belongs to it.  Shard::repair() ends what was being done and counts anew.  At most one block is lost per
//        death.
// FAILS  begin() and add_tag() say so when the segment is full, max_dialogs is reached, or a text is too long.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/modules/dlgs/state.h"
#include "mem/guarded.h"
#include "mem/list_change.h"

namespace kahu::dlgs {

inline constexpr uint32_t kMostShards = 64;
inline constexpr size_t kLongestText = 1024, kLongestTags = 2048;

enum class Text : uint8_t { call_id, from_tag, to_tag, ruid, source, destination, data, tags, count_ };
inline constexpr size_t kTexts = static_cast<size_t>(Text::count_);
using Texts = std::array<std::string_view, kTexts>;

// One call.  State and times change in place, the texts behind it never do.
struct Record {
    Record* next = nullptr;
    uint64_t hash = 0;
    int64_t started = 0, answered = 0, finished = 0;  // unix seconds; 0: not yet
    uint32_t cseq = 0;                                // of the INVITE
    State state = State::Init;
    std::array<uint16_t, kTexts> bytes{};

    std::string_view text(Text which) const;
    Texts texts() const;
    // Tags lie one behind the other, each with a zero at its end.
    size_t count_tag(std::string_view tag) const;
};

struct Counts {
    std::array<uint32_t, kStates> active{};  // calls that are there, by state
    std::array<uint64_t, kStates> ended{};   // calls that were taken out, by the state they were in
    uint64_t ongoing() const;                // not over
};

struct Shard {
    mem::ListChange<Record> change;
    Counts counts;
    uint32_t number = 0;
    bool repair();
    bool is_valid() const;
};

// --- once, before the fork -----------------------------------------------------------------------------------
// REQUIRES: size_log2 of 1 to 16.
void configure_records(unsigned size_log2, uint32_t most);
size_t records_bytes();
void construct_records(void* at, size_t bytes);

// --- one call ------------------------------------------------------------------------------------------------
struct Invite {
    std::string_view call_id, from_tag, to_tag;
    uint32_t cseq = 0;
    std::string_view source, destination, data;
};
enum class Begun : uint8_t { tracked, was_tracked, refused };
// A call that is over begins anew when a later INVITE outside of a dialog comes (credentials, RFC 3261 22.2).
Begun begin(const Invite& invite, int64_t now);
// False: no such call.  `to_tag` is kept with the first success.
bool happened(std::string_view call_id, Event event, std::string_view to_tag, int64_t now);
bool is_tracked(std::string_view call_id);
bool add_tag(std::string_view call_id, std::string_view tag);
bool remove_tag(std::string_view call_id, std::string_view tag);  // also true when it had none

// --- all -----------------------------------------------------------------------------------------------------
// Calls `look` for one after the other, under the lock of its shard, until it says false.
void for_each(const std::function<bool(const Record&)>& look);
Counts count_all();
struct Lifetimes {
    int64_t init, active, finish;  // seconds
};
void sweep(const Lifetimes& lifetimes, int64_t now);
bool records_are_valid();  // all invariants; for tests

}  // namespace kahu::dlgs
