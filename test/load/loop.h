// loop.h -- one epoll loop, edge-triggered: a descriptor is registered once for its life, and
// whoever is told "ready" goes on until the kernel says EAGAIN.
#pragma once
#include <cstdint>
#include <functional>

#include "core/base/fd.h"
#include "test/load/histogram.h"

namespace kahu::load {

Nanos now();  // CLOCK_MONOTONIC

// Told that its descriptor may be readable or writable.  May be told without cause (an event of a
// descriptor closed and reused in the same batch): try, and take EAGAIN for an answer.
class Handler {
  public:
    virtual ~Handler() = default;
    virtual void ready() = 0;
};

class Loop {
  public:
    static constexpr Nanos kStop = -1;
    // Asked after each batch of events: when to ask again at the latest (monotonic), or kStop.
    using Turn = std::function<Nanos(Nanos now)>;

    Loop();
    void watch(int fd, Handler& handler);  // until the descriptor is closed
    void run(const Turn& turn);            // SIGINT and SIGTERM end it too
    static bool interrupted();

  private:
    UniqueFd epoll_;
};

}  // namespace kahu::load
