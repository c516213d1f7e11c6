// core/net/half_open.h -- TLS connections whose handshake is not over, oldest first.
//
// WHY    At a limit the oldest unfinished handshake gives way to who comes next; an established connection never does.
// LIVES  tcp main, private; its successor fills it from the connection table.
#pragma once
#include <deque>

#include "core/base/clock.h"
#include "core/net/connection.h"

namespace kahu::net {

class HalfOpen {
  public:
    void add(ConnectionId id);
    // Forgets those that are established or gone, and the oldest of the others, which it returns; nullptr: there is
    // none that old.
    const Connection* take_oldest(clock::Millis older_than);

  private:
    struct Entry {
        ConnectionId id;
        clock::Millis since;
    };
    std::deque<Entry> entries_;
};

}  // namespace kahu::net
