#include "test/load/server_usage.h"

#include <dirent.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace kahu::load {
namespace {

std::string read_proc(pid_t pid, const char* file) {
    std::FILE* in = std::fopen(fmt::format("/proc/{}/{}", pid, file).c_str(), "r");
    if (in == nullptr) return {};
    char buffer[4096];
    const size_t n = std::fread(buffer, 1, sizeof buffer, in);
    std::fclose(in);
    return {buffer, n};
}

struct Stat {
    pid_t parent = 0;
    uint64_t own_ticks = 0, waited_ticks = 0;
};
// proc(5): pid (comm) state ppid ... utime is field 14.  comm may hold anything, so count from its ")".
bool read_stat(pid_t pid, Stat& out) {
    const std::string text = read_proc(pid, "stat");
    const size_t comm_end = text.rfind(')');
    if (comm_end == text.npos) return false;
    unsigned long utime = 0, stime = 0;
    long cutime = 0, cstime = 0;
    const int got =
        std::sscanf(text.c_str() + comm_end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                    &out.parent, &utime, &stime, &cutime, &cstime);
    out.own_ticks = utime + stime;
    out.waited_ticks = static_cast<uint64_t>(cutime + cstime);
    return got == 5;
}

uint64_t kb_after(const std::string& text, const char* key) {
    const size_t at = text.find(key);
    return at == text.npos ? 0 : std::strtoull(text.c_str() + at + std::strlen(key), nullptr, 10);
}

}  // namespace

std::vector<pid_t> ServerUsage::family() const {
    std::vector<std::pair<pid_t, pid_t>> all;  // pid, parent
    DIR* proc = opendir("/proc");
    if (proc == nullptr) return {};
    while (const dirent* entry = readdir(proc)) {
        const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name));
        Stat stat;
        if (pid > 0 && read_stat(pid, stat)) all.emplace_back(pid, stat.parent);
    }
    closedir(proc);
    std::vector<pid_t> family;
    if (std::any_of(all.begin(), all.end(), [&](const auto& p) { return p.first == root_; })) family.push_back(root_);
    for (size_t i = 0; i < family.size(); ++i)
        for (const auto& [pid, parent] : all)
            if (parent == family[i]) family.push_back(pid);
    return family;
}

Nanos ServerUsage::cpu() const {
    if (!wanted()) return 0;
    const Nanos tick = 1'000'000'000 / sysconf(_SC_CLK_TCK);
    Nanos sum = 0;
    for (const pid_t pid : family()) {
        Stat stat;
        if (!read_stat(pid, stat)) continue;
        const std::string scheduled = read_proc(pid, "schedstat");
        const Nanos exact = std::strtoll(scheduled.c_str(), nullptr, 10);
        sum += std::max(exact, static_cast<Nanos>(stat.own_ticks) * tick);  // schedstat leaves out further threads
        sum += static_cast<Nanos>(stat.waited_ticks) * tick;
    }
    return sum;
}

Memory ServerUsage::memory() const {
    Memory sum;
    if (!wanted()) return sum;
    for (const pid_t pid : family()) {
        const std::string text = read_proc(pid, "smaps_rollup");
        sum.pss_kb += kb_after(text, "\nPss:");
        sum.rss_kb += kb_after(text, "\nRss:");
    }
    return sum;
}

Nanos own_cpu() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void Counted::begin(Nanos at) {
    begun_at_ = at;
    server_used_ = server_.cpu();
    own_used_ = own_cpu();
}

void Counted::end(Nanos at, uint64_t units) {
    ended_at_ = at;
    units_ = units;
    server_used_ = server_.cpu() - server_used_;
    own_used_ = own_cpu() - own_used_;
}

void Counted::report_rate(Report& report) const {
    const double elapsed = static_cast<double>(ended_at_ - begun_at_) / 1e9;
    report.figure("seconds", elapsed, "s");
    report.figure("rate", elapsed > 0 ? static_cast<double>(units_) / elapsed : 0, "/s");
}

void Counted::report_cpu(Report& report) const {
    report.figure("own_cpu_s", static_cast<double>(own_used_) / 1e9, "s");
    if (!server_.wanted()) return;
    const auto used = static_cast<double>(server_used_);
    report.figure("server_cpu_s", used / 1e9, "s");
    if (units_ > 0) report.figure("server_cpu_us_each", used / 1e3 / static_cast<double>(units_), "us");
}

void report_memory(Report& report, const ServerUsage& server) {
    if (!server.wanted()) return;
    const Memory memory = server.memory();
    report.count("server_processes", server.processes());
    report.count("server_pss_kb", memory.pss_kb);
    report.count("server_rss_kb", memory.rss_kb);
}

}  // namespace kahu::load
