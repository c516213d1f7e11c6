// core/net/source_count.h -- connections open per source address: O(1) for each accept and close.
#pragma once
#include <unordered_map>

#include "core/base/address.h"

namespace kahu::net {

class SourceCount {
  public:
    uint32_t of(const SocketAddress& source) const {
        const auto found = counts_.find(source);
        return found == counts_.end() ? 0 : found->second;
    }
    void add(const SocketAddress& source) { ++counts_[source]; }
    void remove(const SocketAddress& source) {
        const auto found = counts_.find(source);
        if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    }

  private:
    struct Hash {
        size_t operator()(const SocketAddress& a) const { return a.hash_ip(); }
    };
    struct Same {
        bool operator()(const SocketAddress& a, const SocketAddress& b) const { return a.same_ip(b); }
    };
    std::unordered_map<SocketAddress, uint32_t, Hash, Same> counts_;
};

}  // namespace kahu::net
