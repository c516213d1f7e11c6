// hook.h -- a command that runs beside the load: a reload at half time, or reloads all the time.
//
// The command is run by /bin/sh.  It must exit 0.  If the first word it prints is a SHA-256
// fingerprint (64 hex digits), the server is expected to show that certificate from then on, to
// every connection that was started after the command ended and before the next one began.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "test/load/loop.h"
#include "test/load/options.h"
#include "test/load/report.h"

namespace kahu::load {

class Hook : public Handler {
  public:
    Hook(const Options& options, Loop& loop, Report& report);
    ~Hook();

    void turn(uint64_t done);  // from the mode's turn: starts the command when it is due
    bool finished() const;     // nothing runs and nothing will
    // Changes whenever a command begins or ends: what was true at one epoch() is not checked at another.
    unsigned epoch() const { return epoch_; }
    bool running() const { return child_ > 0; }
    bool half_done() const { return runs_ > 0 && !running(); }
    const std::string& expected_fingerprint() const { return expected_; }  // "": any
    uint64_t runs() const { return runs_; }
    void ready() final;

  private:
    void spawn(const std::string& command);
    void collect();

    const Options& options_;
    Loop& loop_;
    Report& report_;
    pid_t child_ = 0;
    UniqueFd output_;
    std::string printed_, expected_;
    unsigned epoch_ = 0;
    uint64_t runs_ = 0;
    Nanos ended_at_ = 0;
};

}  // namespace kahu::load
