// mem/size_classes.h -- which block sizes the heap has: 16..128 by 16, then four per doubling to 32 KiB.
// One exception: 7680 in place of 7168, because OpenSSL's SSL object has 7608 bytes and there is one per
// connection.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "mem/heap_stats.h"

namespace kahu::mem {

inline constexpr size_t kSpanBytes = 64 << 10;
inline constexpr size_t kLargestSmall = 32 << 10;  // above: whole spans

inline constexpr std::array<uint32_t, kSizeClasses> kClassBytes = [] {
    std::array<uint32_t, kSizeClasses> bytes{};
    int n = 0;
    for (uint32_t size = 16; size <= 128; size += 16) bytes[n++] = size;
    for (uint32_t base = 128; base < kLargestSmall; base *= 2) {
        for (uint32_t quarter = 1; quarter <= 4; ++quarter) bytes[n++] = base + quarter * base / 4;
    }
    for (uint32_t& size : bytes) size = size == 7168 ? 7680 : size;
    return bytes;
}();
static_assert(kClassBytes.back() == kLargestSmall, "the last class is the largest small block");

namespace detail {
// Steps of 16 bytes up to 1 KiB, then of 256 bytes: all class sizes are multiples of these.
inline constexpr size_t kFineLimit = 1024, kFineStep = 16, kCoarseStep = 256;

template <size_t kStep, size_t kLimit>
inline constexpr std::array<uint8_t, kLimit / kStep + 1> kClassByStep = [] {
    std::array<uint8_t, kLimit / kStep + 1> table{};
    for (size_t i = 0; i < table.size(); ++i) {
        while (kClassBytes[table[i]] < i * kStep) ++table[i];
    }
    return table;
}();
}  // namespace detail

// REQUIREs nothing: callers have checked bytes <= kLargestSmall.
inline constexpr int class_of(size_t bytes) {
    using namespace detail;
    return bytes <= kFineLimit ? kClassByStep<kFineStep, kFineLimit>[(bytes + kFineStep - 1) / kFineStep]
                               : kClassByStep<kCoarseStep, kLargestSmall>[(bytes + kCoarseStep - 1) / kCoarseStep];
}

}  // namespace kahu::mem
