// core/module/latency.h -- what takes longer than its limit is told in the log: the parameters latency_*.
//
// WHY    A slow database or name server makes everything slow; the operator wants to see which call it was.
// LIVES  Parameters are shared settings.  Costs one comparison where no limit is set, two readings of the clock else.
// FAILS  Never; more than a hundred lines a second of one process are counted, not written.
#pragma once
#include <ctime>
#include <span>
#include <string_view>

#include "core/module/descriptor.h"

namespace kahu::latency {

extern IntSetting limit_action;  // microseconds of one call of the script; 0: none is told
extern IntSetting limit_db;      // of one query
extern IntSetting limit_cfg;     // of a whole request_route or reply_route; 0: each is told

using Micros = int64_t;
inline Micros now() {
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC, &at);
    return int64_t{at.tv_sec} * 1'000'000 + at.tv_nsec / 1000;
}

// From its construction to took_too_long().
class Watch {
  public:
    explicit Watch(const IntSetting& limit) : limit_(limit), began_(limit_ > 0 ? now() : 0) {}
    // The microseconds gone if they are the limit or more; 0: all is well.
    Micros took_too_long() const {
        if (limit_ <= 0) return 0;
        const Micros gone = now() - began_;
        return gone >= limit_ ? gone : 0;
    }

  private:
    int64_t limit_;
    Micros began_;
};

// At level latency_log.
void tell(std::string_view event, std::string_view what, std::string_view at, Micros took);

// For whole routes: at level latency_cfg_log, which decides alone when limit_cfg is 0.
bool watches_routes();
void tell_route(std::string_view route, Micros took);

std::span<const Param> latency_params();

}  // namespace kahu::latency
