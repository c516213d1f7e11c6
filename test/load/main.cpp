// main.cpp -- kahu-load: a load generator for SIP over TLS, TCP and UDP (test/load/README.md).
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>

#include "test/load/modes.h"

using namespace kahu;
using namespace kahu::load;

namespace {

void allow_many_descriptors() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Status run(const Options& options, Report& report) {
    switch (options.mode) {
    case Mode::handshake:
    case Mode::resume: return run_handshakes(options, report);
    case Mode::requests: return run_requests(options, report);
    case Mode::calls: return run_calls(options, report);
    case Mode::idle: return run_idle(options, report);
    case Mode::halfopen: return run_half_open(options, report);
    case Mode::baseline: return run_baseline(options, report);
    }
    return {};
}

std::string title_of(const Options& o) {
    if (o.mode == Mode::baseline) return fmt::format("baseline, {}", o.rsa.empty() ? "EC P-256" : "RSA-2048");
    return fmt::format("{} {} {}{}, {} at a time", name_of(o.mode), o.target.text(), name_of(o.transport), o.tls,
                       o.concurrency);
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse_options(argc, argv);
    if (!options) {
        const bool help = options.error().code == Errc::not_found;
        std::fputs((help ? options.error().what : "kahu-load: " + options.error().text() + "\n").c_str(),
                   help ? stdout : stderr);
        return help ? 0 : 2;
    }
    allow_many_descriptors();
    Report report(title_of(*options));
    if (const Status status = run(*options, report); !status) {
        std::fputs(("kahu-load: " + status.error().text() + "\n").c_str(), stderr);
        return 2;
    }
    if (!options->quiet && options->json != "-") std::fputs(report.table().c_str(), stdout);
    if (!options->json.empty()) {
        if (const Status status = report.write_json(options->json); !status) {
            std::fputs(("kahu-load: " + status.error().text() + "\n").c_str(), stderr);
            return 2;
        }
    }
    return report.failures() == 0 ? 0 : 1;
}
