// mode_halfopen.cpp -- connections that never finish their handshake, as a port scanner, a dying
// phone or an attacker makes them.  For each: when did the server let go of it?
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "test/load/connection.h"
#include "test/load/modes.h"
#include "test/load/server_usage.h"
#include "test/load/tls_client.h"

namespace kahu::load {
namespace {

struct Run {
    Run(const Options& o, Report& r) : options(o), report(r) {}
    const Options& options;
    Report& report;
    Loop loop;
    Wire wire{options, loop};
    std::string opening;  // what each connection sends, once
    uint64_t opened = 0, closed = 0, at_once = 0, answered = 0, refused = 0;
    Histogram lifetime;
};

class Slot final : public Connection {
  public:
    explicit Slot(Run& run) : Connection(run.wire), run_(run) {}
    void begin() {
        began_ = now();
        start(began_);
    }

  private:
    void opened() override {
        opened_ = true;
        ++run_.opened;
        if (!run_.opening.empty()) send(run_.opening);
    }
    size_t received(std::string_view bytes) override {
        if (!answered_) ++run_.answered;
        answered_ = true;
        return bytes.size();
    }
    void ended(const std::string& reason) override {
        if (!opened_) {
            ++run_.refused;
            return run_.report.fail(reason);
        }
        const Nanos lived = now() - began_;
        ++run_.closed;
        run_.at_once += lived < 1'000'000'000;
        run_.lifetime.record(lived);
    }

    Run& run_;
    bool opened_ = false, answered_ = false;
    Nanos began_ = 0;
};

std::string opening_of(const Options& options, SSL_CTX* context) {
    if (options.kind == "silent") return {};
    const std::string hello = client_hello(context, options.sni);
    return options.kind == "half-hello" ? hello.substr(0, hello.size() / 2) : hello;
}

}  // namespace

Status run_half_open(const Options& options, Report& report) {
    auto context = make_client_context(options);
    if (!context) return std::move(context).error();
    Run run(options, report);
    run.opening = opening_of(options, context->get());
    run.wire.sources = sources_for(options, options.total);
    std::vector<std::unique_ptr<Slot>> slots;
    for (uint64_t i = 0; i < options.total; ++i) slots.push_back(std::make_unique<Slot>(run));

    const double seconds = options.seconds > 0 ? options.seconds : 15;
    const Nanos begun = now(), until = begun + static_cast<Nanos>(seconds * 1e9);
    size_t next = 0;
    run.loop.run([&](Nanos at) {
        // With a rate: so many a second; without: a batch per turn, which the accept queue can take.
        const double due = options.rate > 0 ? options.rate * static_cast<double>(at - begun) / 1e9 : 1e12;
        for (int i = 0; i < options.concurrency && next < slots.size() && static_cast<double>(next) < due; ++i)
            slots[next++]->begin();
        if (at >= until || (next == slots.size() && run.closed + run.refused == slots.size())) return Loop::kStop;
        return at + (next < slots.size() ? 1'000'000 : 50'000'000);
    });

    const uint64_t still_open = run.opened - run.closed;
    report.text("kind", options.kind);
    report.count("opened", run.opened);
    report.count("answered", run.answered);
    report.count("closed_by_server", run.closed);
    report.count("closed_within_1s", run.at_once);
    report.count("still_open", still_open);
    report.figure("seconds", static_cast<double>(now() - begun) / 1e9, "s");
    report.latency("lifetime", run.lifetime);
    if (run.opened + run.refused < options.total)
        report.fail("not connected at the end", options.total - run.opened - run.refused);
    if (options.expect_closed && still_open > 0) report.fail("still open at the end", still_open);
    if (Loop::interrupted()) report.fail("interrupted");
    return {};
}

}  // namespace kahu::load
