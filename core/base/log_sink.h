// core/base/log_sink.h -- where log lines go, without waiting for whoever reads them.
//
// WHY    syslog(3) and write(2) block when the log daemon, or the program behind a pipe, has stopped reading; every
//        worker would stand still with it, until the watchdog ends them.
// LIVES  The descriptor is inherited by fork(); each process waits, drops and connects by itself.
// FAILS  A line that a reader does not take is dropped: first after kPatience, then at once until it reads again.
#pragma once
#include <string>
#include <string_view>

#include "core/base/fd.h"

namespace kahu::log {

// Before lines to `fd` are dropped.
inline constexpr int kPatienceMs = 200;

// Whether a reader takes more.  A regular file always does.
class Reader {
  public:
    bool takes_more(int fd);

  private:
    bool stuck_ = false;
};

class StandardError {
  public:
    bool write(std::string_view line);  // false: dropped

  private:
    Reader reader_;
};

class Syslog {
  public:
    // Connects, so that a change of the root directory comes later.
    void open(std::string path);
    bool send(int priority, std::string_view program, std::string_view text);  // false: dropped

  private:
    bool connect();  // false: what there was stays, as after a change of the root directory
    bool send_once(std::string_view packet);

    std::string path_ = "/dev/log";
    UniqueFd fd_;
    bool stream_ = false;  // its packets end with a NUL
    Reader reader_;
};

}  // namespace kahu::log
