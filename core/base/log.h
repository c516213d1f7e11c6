// core/base/log.h -- an event name, then facts.  The name is stable (tests and alerts match it);
// whatever varies is a key=value field.  Fields are not evaluated when the level is off.
//
//     LOG(warn, "tls.handshake.failed", kv("peer", peer), kv("reason", why));
//     -> "WARNING: tls.handshake.failed peer=10.0.0.1:4711 reason=\"no shared cipher\""
//
// LIVES  Process-private; the level may be pointed at a shared cell so that `corex.debug` and
//        cfg.set_now_int change it everywhere (share_level).
// FAILS  Never: a log line that cannot be written is counted (lost()) and dropped.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace kahu::log {

// Kamailio's numbers: what `debug=N` shows is everything with a number <= N.
enum class Level : int { alert = -5, bug = -4, critical = -3, error = -1, warn = 0, notice = 1, info = 2, debug = 3 };
std::string_view name_of(Level level);  // "ERROR", "WARNING", ...

struct Field {
    std::string_view key;
    std::string value;
};

enum class Sink : uint8_t { standard_error, syslog };
void open(Sink sink, int syslog_facility, std::string_view program);  // also after reopen()
void reopen();                                                        // SIGHUP
void set_process(std::string_view title);                             // shown in each line: "tcp worker 2"
void set_level(Level level);
void share_level(const int64_t* cell);  // REQUIRES: outlives the process
Level level();
inline bool enabled(Level wanted) { return static_cast<int>(wanted) <= static_cast<int>(level()); }
void emit(Level level, std::string_view event, std::initializer_list<Field> fields);
void emit_text(Level level, std::string_view whole_line);  // xlog: the text is the user's own
uint64_t lost();

// Limits a line to `per_second`; the next one let through tells how many were suppressed.
class RateLimit {
  public:
    explicit RateLimit(int per_second) : per_second_(per_second) {}
    bool allow();
    uint64_t suppressed() const { return reported_; }  // since the last line let through
  private:
    int per_second_;
    int used_ = 0;
    clock::Millis window_ = 0;
    uint64_t pending_ = 0, reported_ = 0;
};

template <class T>
Field make_field(std::string_view key, const T& value) {
    return {key, fmt::format("{}", value)};
}

}  // namespace kahu::log

namespace kahu {
template <class T>
log::Field kv(std::string_view key, const T& value) {
    return log::make_field(key, value);
}
}  // namespace kahu

#define LOG(level_, event_, ...)                                                  \
    do {                                                                          \
        if (::kahu::log::enabled(::kahu::log::Level::level_))                     \
            ::kahu::log::emit(::kahu::log::Level::level_, event_, {__VA_ARGS__}); \
    } while (0)
