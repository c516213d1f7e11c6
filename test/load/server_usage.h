// server_usage.h -- what the server under test used: CPU and memory of a process and of all its
// descendants, read from /proc.
//
// CPU is exact to the nanosecond for living processes (schedstat) and counted in 10 ms ticks for
// those that ended and were waited for (cutime + cstime of their parent): no work is lost when a
// worker ends between two samples.  A process that detaches from the tree is not seen.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "test/load/histogram.h"
#include "test/load/report.h"

namespace kahu::load {

struct Memory {
    uint64_t pss_kb = 0, rss_kb = 0;  // PSS counts a page shared by n processes as 1/n: the sum is what is really used
};

class ServerUsage {
  public:
    explicit ServerUsage(pid_t root) : root_(root) {}  // 0: nothing is measured
    bool wanted() const { return root_ > 0; }
    size_t processes() const { return family().size(); }
    Nanos cpu() const;
    Memory memory() const;

  private:
    std::vector<pid_t> family() const;
    pid_t root_;
};

Nanos own_cpu();  // user + system of this process

void report_memory(Report& report, const ServerUsage& server);  // as it is now

// The part of a run that counts, its time and CPU: what lies between begin() and end().
class Counted {
  public:
    explicit Counted(const ServerUsage& server) : server_(server) {}
    void begin(Nanos at);
    void end(Nanos at, uint64_t units);
    bool ended() const { return ended_at_ != 0; }
    void report_rate(Report& report) const;  // counted, seconds, rate
    void report_cpu(Report& report) const;   // own_cpu_s; of a server that is measured server_cpu_s, server_cpu_us_each

  private:
    const ServerUsage& server_;
    Nanos begun_at_ = 0, ended_at_ = 0, server_used_ = 0, own_used_ = 0;
    uint64_t units_ = 0;
};

}  // namespace kahu::load
