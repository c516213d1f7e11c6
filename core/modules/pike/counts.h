// core/modules/pike/counts.h -- how many requests came from each address, in bounded memory and constant time.
//
// WHY    A flood from many addresses must cost neither memory nor time: the table has a fixed number of rows, each
//        address may be in eight of them, and a new one takes the place of the one seen longest ago.
// LIVES  A part of the segment.
// LOCKS  One of kShards at a time; nothing waits while it is held.
// DEATH  A row may be half written: one address is then counted wrongly for a moment. Nothing needs repair.
// RULES  As Kamailio's: an address is hot when this or the last sampling unit has reached the density, or both together
//        twice that; it is let through again in the first unit in which that is not so.
#pragma once
#include <cstdint>
#include <functional>

#include "core/base/address.h"
#include "mem/guarded.h"

namespace kahu::pike {

inline constexpr uint32_t kShards = 64;
inline constexpr uint32_t kWays = 8;
inline constexpr uint32_t kRows = 1 << 16;

struct Row {
    uint8_t address[16];
    uint8_t bytes;  // 4 or 16; 0: unused
    bool hot;
    int64_t unit;  // of `current`
    int64_t seen;  // seconds
    uint32_t previous, current;
};

struct Shard {
    Row rows[kRows / kShards];
    bool repair() { return true; }
};

struct Limits {
    int64_t unit_seconds, density;
};

enum class Judgement : uint8_t { good, newly_hot, hot };

size_t counts_bytes();
void construct_counts(void* at, size_t bytes);
// `now` in seconds; any clock that all processes share.
Judgement count(const SocketAddress& source, const Limits& limits, int64_t now);

struct Listed {
    SocketAddress address;
    uint32_t previous, current;
    int64_t seen;
    bool hot;
};
// Rows seen at or after `since`, as they would be judged now.
void list(const Limits& limits, int64_t now, int64_t since, const std::function<void(const Listed&)>& take);

}  // namespace kahu::pike
