// core/modules/tm/table.h -- all transactions, by hash of Call-ID and CSeq number.
//
// WHY    Any worker may receive any message of a transaction.  All that belongs together -- a request, its
//        retransmissions, ACK, CANCEL, merged copies -- has the same Call-ID and CSeq number, hence one shard.
// LIVES  A part of the segment: kShards locks and list heads, and beside them the earliest deadline of each shard, so
//        that the timer finds what is due by reading 64 KB instead of keeping a wheel that could be left half-linked.
// LOCKS  One shard at a time, never two.  Sending is allowed while it is held (it never blocks), running a route of the
//        script is not.
// DEATH  Links are single stores.  Whoever locks a shard after its holder's death drops what is not is_valid(), puts
//        the rest right (aftermath.h), and lets the timer look at it.  The timer looks at all shards after any death.
// FAILS  insert() cannot; making a transaction returns nullptr when the segment is full.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/modules/tm/transaction.h"
#include "mem/mutex.h"

namespace kahu::tm {

inline constexpr uint32_t kShards = 8192;

size_t table_bytes();
void construct_table(void* at, size_t bytes);

constexpr uint32_t shard_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 40) % kShards; }

// Holds one shard for as long as it lives.
class Locked {
  public:
    explicit Locked(uint32_t shard);
    explicit Locked(Id id) : Locked(id.shard) {}
    ~Locked();
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

    Transaction* first() const;
    Transaction* find(uint32_t label) const;  // nullptr: it is over
    // Links it and gives it its label.
    void insert(Transaction* t);
    void remove(Transaction* t);  // unlinks and destroys it
    // After any change of its deadlines; removes it if it is over (the pointer is then dead): true.
    bool settle(Transaction* t);

  private:
    uint32_t shard_;
};

// The timer: the earliest deadline in the shard, which may be earlier than the truth.
clock::Millis shard_due(uint32_t shard);
// Before the timer walks the shard; settle() of each transaction then lowers it again.  REQUIRES: the shard is locked.
void forget_due(uint32_t shard);
// Makes the timer look at the shard at that time.
void note_due(uint32_t shard, clock::Millis at);

// After a death: whoever held a shard may have gone before it noted what is due there.
void note_all_due();

uint32_t new_label();

// Incarnation of the process in that slot: its successor has another.
uint32_t life_of(int slot);

// Which request each process routes before there is a transaction.  `key` is a hash of what identifies it.
// False: another process that lives claims the same.  REQUIRES: its shard is locked.
bool claim_request(const Locked& shard, uint64_t key);
void release_request();

}  // namespace kahu::tm
