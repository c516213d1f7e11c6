// histogram.h -- counts durations in log-linear buckets: 64 per power of two, so a percentile is
// at most 1.6 % too high.  Fixed size; recording does not allocate.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace kahu::load {

using Nanos = int64_t;

class Histogram {
  public:
    void record(Nanos value) {
        const uint64_t v = value < 0 ? 0 : static_cast<uint64_t>(value);
        ++buckets_[bucket_of(v)];
        ++count_;
        max_ = std::max(max_, v);
    }
    uint64_t count() const { return count_; }
    Nanos max() const { return static_cast<Nanos>(max_); }
    // The smallest bucket end that `percent` of all values do not exceed; 0 when empty.
    Nanos percentile(double percent) const {
        const auto wanted = static_cast<uint64_t>(static_cast<double>(count_) * percent / 100.0 + 0.5);
        uint64_t seen = 0;
        for (size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (seen >= wanted && seen > 0) return static_cast<Nanos>(std::min(end_of(i), max_));
        }
        return 0;
    }

  private:
    static constexpr int kSubBits = 6;
    static size_t bucket_of(uint64_t v) {
        if (v < (1u << kSubBits)) return v;
        const int shift = std::bit_width(v) - 1 - kSubBits;
        return (static_cast<size_t>(shift + 1) << kSubBits) + ((v >> shift) - (1u << kSubBits));
    }
    static uint64_t end_of(size_t bucket) {
        if (bucket < (1u << kSubBits)) return bucket;
        const int shift = static_cast<int>(bucket >> kSubBits) - 1;
        return (((bucket & ((1u << kSubBits) - 1)) + (1u << kSubBits) + 1) << shift) - 1;
    }
    std::array<uint64_t, (64 - kSubBits + 1) << kSubBits> buckets_{};
    uint64_t count_ = 0, max_ = 0;
};

}  // namespace kahu::load
