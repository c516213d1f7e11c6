// core/net/sent_tickets.h -- the requests that left over a connection, while somebody may wait for their answers.
//
// WHY    A request that the kernel took may still never be read: the peer had closed, or died with it.  When the
//        connection ends, whoever sent the request is told, instead of waiting for its timer.
// LIVES  In the connection's Link: private to its owner, gone with it; then the timer of the sender decides.
// BOUND  Answered ones are not taken out, but give way to later ones: the last 4 of a quiet connection, the last
//        kMost of a busy one, which are those of its last second up to 1000 requests per second.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"

namespace kahu::net {

class SentTickets {
  public:
    static constexpr size_t kFew = 4, kMost = 1024;

    void add(uint64_t ticket, clock::Millis now) {
        if (next_ == ring_.size()) {
            constexpr clock::Millis kFresh = 1000;
            const bool grows = ring_.size() < kFew || (ring_.size() < kMost && now - ring_.front().at < kFresh);
            if (grows) ring_.push_back({});
            else next_ = 0;
        }
        ring_[next_++] = {ticket, now};
    }
    // Calls tell(ticket) for each, the oldest first.
    template <typename Tell>
    void each(Tell&& tell) const {
        for (size_t i = 0; i < ring_.size(); ++i) tell(ring_[(next_ + i) % ring_.size()].ticket);
    }
    bool empty() const { return ring_.empty(); }

  private:
    struct Entry {
        uint64_t ticket;
        clock::Millis at;
    };
    std::vector<Entry> ring_;
    size_t next_ = 0;  // of the ring; its size: the first, or one more
};

}  // namespace kahu::net
