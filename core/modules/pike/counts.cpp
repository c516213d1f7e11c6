#include "core/modules/pike/counts.h"

#include <cstring>
#include <new>

namespace kahu::pike {
namespace {

constexpr uint32_t kSetsPerShard = kRows / kShards / kWays;
mem::Guarded<Shard>* g_shards = nullptr;

uint8_t address_bytes(const SocketAddress& address, uint8_t* into) {
    if (address.is_v6()) {
        std::memcpy(into, &reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr, 16);
        return 16;
    }
    std::memcpy(into, &reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr, 4);
    return 4;
}

SocketAddress address_of(const Row& row) {
    sockaddr_storage raw{};
    if (row.bytes == 16) {
        auto* const v6 = reinterpret_cast<sockaddr_in6*>(&raw);
        v6->sin6_family = AF_INET6;
        std::memcpy(&v6->sin6_addr, row.address, 16);
    } else {
        auto* const v4 = reinterpret_cast<sockaddr_in*>(&raw);
        v4->sin_family = AF_INET;
        std::memcpy(&v4->sin_addr, row.address, 4);
    }
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&raw));
}

bool over(const Row& row, int64_t density) {
    return row.previous >= density || row.current >= density || (int64_t{row.previous} + row.current) / 2 >= density;
}

void move_to_unit(Row& row, int64_t unit, int64_t density) {
    if (unit == row.unit) return;
    row.previous = unit == row.unit + 1 ? row.current : 0;
    row.current = 0;
    row.unit = unit;
    row.hot = row.hot && over(row, density);
}

// Its row, or the one that it takes over.
Row& row_for(Row* set, const uint8_t* address, uint8_t bytes) {
    Row* oldest = set;
    for (Row* row = set; row < set + kWays; ++row) {
        if (row->bytes == bytes && std::memcmp(row->address, address, bytes) == 0) return *row;
        if (row->bytes == 0 || (oldest->bytes != 0 && row->seen < oldest->seen)) oldest = row;
    }
    *oldest = Row{};
    std::memcpy(oldest->address, address, bytes);
    oldest->bytes = bytes;
    return *oldest;
}

}  // namespace

size_t counts_bytes() { return kShards * sizeof(mem::Guarded<Shard>); }

void construct_counts(void* at, size_t) {
    g_shards = static_cast<mem::Guarded<Shard>*>(at);  // all zero is unlocked and empty: no page is touched
}

Judgement count(const SocketAddress& source, const Limits& limits, int64_t now) {
    uint8_t address[16];
    const SocketAddress plain = source.unmapped();
    const uint8_t bytes = address_bytes(plain, address);
    const uint64_t hash = plain.hash_ip();
    auto shard = g_shards[hash % kShards].lock();
    Row& row = row_for(shard->rows + hash / kShards % kSetsPerShard * kWays, address, bytes);
    move_to_unit(row, now / limits.unit_seconds, limits.density);
    row.seen = now;
    if (row.current < UINT32_MAX) ++row.current;
    if (!over(row, limits.density)) return Judgement::good;
    const bool known = row.hot;
    row.hot = true;
    return known ? Judgement::hot : Judgement::newly_hot;
}

void list(const Limits& limits, int64_t now, int64_t since, const std::function<void(const Listed&)>& take) {
    for (uint32_t i = 0; i < kShards; ++i) {
        auto shard = g_shards[i].lock();
        for (const Row& stored : shard->rows) {
            if (stored.bytes == 0 || stored.seen < since) continue;
            Row row = stored;
            move_to_unit(row, now / limits.unit_seconds, limits.density);
            take({address_of(row), row.previous, row.current, row.seen, row.hot});
        }
    }
}

}  // namespace kahu::pike
