// core/modules/usrloc/contact.h -- one registered contact: a single block of the segment.
//
// WHY    A million of them must fit: one allocation each, numbers first, then all texts end to end.
// LIVES  mem::Tag::contact.  Reached and changed only while the lock of its shard is held (table.h).
// LOCKS  None of its own.
// FAILS  make_contact() returns nullptr when the segment is full or a text exceeds its limit.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/net/destination.h"
#include "core/net/inbound.h"

namespace kahu::usrloc {

enum class State : uint8_t {
    fresh,    // not in the database yet
    changed,  // the database has an older version
    stored,   // the database has this version
    removed,  // gone for everybody, but its row must be deleted yet
};

struct Numbers {
    static constexpr int16_t kNoQ = -1;

    uint64_t connection = 0;      // net::ConnectionId it registered on; 0: none
    uint32_t expires = 0;         // unix seconds; 0: never
    uint32_t last_modified = 0;   // unix seconds
    uint32_t last_keepalive = 0;  // unix seconds: registered, or answered a keep-alive
    uint32_t roundtrip = 0;       // of that keep-alive, microseconds
    uint32_t cseq = 0;
    uint32_t flags = 0, cflags = 0;  // usrloc's own; branch flags of the script
    uint32_t methods = UINT32_MAX;   // sip::MethodMask from Allow; all bits: not told
    uint32_t reg_id = 0;
    uint32_t server_id = 0;
    int16_t q = kNoQ;                     // thousandths
    uint16_t socket = net::kAnyListener;  // index into net::listeners()

    net::ConnectionId connection_id() const { return static_cast<net::ConnectionId>(connection); }
    bool live(int64_t now) const { return expires == 0 || static_cast<int64_t>(expires) > now; }
};

enum class Text : uint8_t { aor, uri, call_id, user_agent, received, path, instance, ruid, count_ };
inline constexpr size_t kTexts = static_cast<size_t>(Text::count_);
// What a peer may make us store, in octets.
inline constexpr std::array<uint16_t, kTexts> kMostBytes = {512, 2048, 255, 255, 255, 2048, 255, 64};

// A contact as its maker and its readers see it: texts are borrowed.
struct Fields : Numbers {
    std::array<std::string_view, kTexts> texts{};
    std::string_view& operator[](Text which) { return texts[static_cast<size_t>(which)]; }
    std::string_view operator[](Text which) const { return texts[static_cast<size_t>(which)]; }
    // The first text that is longer than kMostBytes; Text::count_ if none is.
    Text too_long() const;
};

struct Contact : Numbers {
    Contact* next;  // in its bucket
    uint32_t hash;  // of table and AoR
    uint8_t table;
    State state;
    uint8_t changes;  // counts up, wraps: whether it changed while its row was being written
    uint8_t unused;
    std::array<uint16_t, kTexts> bytes;

    std::string_view text(Text which) const {
        const char* at = reinterpret_cast<const char*>(this + 1);
        for (size_t i = 0; i < static_cast<size_t>(which); ++i) at += bytes[i];
        return {at, bytes[static_cast<size_t>(which)]};
    }
    Fields fields() const;  // valid as long as the contact is
    bool visible(int64_t now) const { return state != State::removed && live(now); }
    bool is_of(uint32_t of_hash, uint8_t of_table, std::string_view aor) const {
        return hash == of_hash && table == of_table && text(Text::aor) == aor;
    }
    // Plausible: what repair() asks of a block that a dead process linked.
    bool is_valid() const;
};

Contact* make_contact(uint32_t hash, uint8_t table, State state, const Fields& fields);
Contact* copy_contact(const Contact& contact);
void free_contact(Contact* contact);
size_t contact_bytes(const Fields& fields);  // of the block, before the heap rounds it up

}  // namespace kahu::usrloc
