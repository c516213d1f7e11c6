// mode_idle.cpp -- many connections that mostly do nothing: what does each cost the server, are all
// still answered, and does the memory come back?
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "test/load/connection.h"
#include "test/load/modes.h"
#include "test/load/server_usage.h"
#include "test/load/sip.h"
#include "test/load/tls_client.h"

namespace kahu::load {
namespace {

struct Run {
    Run(const Options& o, Report& r) : options(o), report(r), server(o.server) {}
    const Options& options;
    Report& report;
    Loop loop;
    ServerUsage server;
    Wire wire{options, loop};
    uint64_t pending = 0;  // handshakes or requests under way
    uint64_t opened = 0, answered = 0, lost = 0;
    Histogram handshake, answer;
};

class Slot final : public Connection {
  public:
    Slot(Run& run, unsigned index) : Connection(run.wire), run_(run), index_(index) {}
    void begin() {
        pending_ = true;
        ++run_.pending;
        began_ = now();
        start(began_);
    }
    void ask() {
        if (!is_open()) return;
        pending_ = true;
        ++run_.pending;
        began_ = now();
        RequestTemplate request(run_.options.method, run_.options.transport, run_.options.target, index_);
        send(request.numbered(0));
    }
    void expire(Nanos at) {
        if (!pending_ || at - began_ <= static_cast<Nanos>(run_.options.timeout * 1e9)) return;
        close();
        ended("timeout");
    }

  private:
    void opened() override {
        done();
        ++run_.opened;
        run_.handshake.record(now() - began_);
    }
    size_t received(std::string_view bytes) override {
        Answer answer;
        const long used = read_answer(bytes, answer);
        if (used == 0) return 0;
        if (used < 0 || answer.status != 200) run_.report.fail(fmt::format("answer: {}", used < 0 ? 0 : answer.status));
        done();
        ++run_.answered;
        run_.answer.record(now() - began_);
        return used < 0 ? bytes.size() : static_cast<size_t>(used);
    }
    void ended(const std::string& reason) override {
        run_.report.fail((pending_ ? "" : "while idle: ") + reason);
        ++run_.lost;
        done();
    }
    void done() {
        run_.pending -= pending_;
        pending_ = false;
    }

    Run& run_;
    unsigned index_;
    bool pending_ = false;
    Nanos began_ = 0;
};

using Slots = std::vector<std::unique_ptr<Slot>>;

// Does `step` to every slot, `concurrency` at a time, until all are through.
void for_all(Run& run, Slots& slots, void (Slot::*step)()) {
    size_t next = 0;
    Nanos next_scan = 0;
    run.loop.run([&](Nanos at) {
        if (at >= next_scan) {
            for (auto& slot : slots) slot->expire(at);
            next_scan = at + 500'000'000;
        }
        while (next < slots.size() && run.pending < static_cast<uint64_t>(run.options.concurrency))
            ((*slots[next++]).*step)();
        return next == slots.size() && run.pending == 0 ? Loop::kStop : at + 100'000'000;
    });
}
void hold(Run& run, double seconds) {
    const Nanos until = now() + static_cast<Nanos>(seconds * 1e9);
    run.loop.run([&](Nanos at) { return at >= until ? Loop::kStop : until; });
}

void report_memory(Report& report, const Memory& before, const Memory& held, const Memory& after,
                   uint64_t connections) {
    report.count("server_pss_before_kb", before.pss_kb);
    report.count("server_pss_kb", held.pss_kb);
    report.count("server_pss_after_kb", after.pss_kb);
    report.count("server_rss_kb", held.rss_kb);
    const double grown = static_cast<double>(held.pss_kb) - static_cast<double>(before.pss_kb);
    if (connections > 0) report.figure("server_kb_per_connection", grown / static_cast<double>(connections), "KB");
}

}  // namespace

Status run_idle(const Options& options, Report& report) {
    auto context = make_client_context(options);
    if (!context) return std::move(context).error();
    Run run(options, report);
    if (options.transport == Transport::tls) run.wire.tls = context->get();
    run.wire.sources = sources_for(options, options.total);
    Slots slots;
    for (uint64_t i = 0; i < options.total; ++i) slots.push_back(std::make_unique<Slot>(run, static_cast<unsigned>(i)));

    const Memory before = run.server.memory();
    const Nanos begun = now();
    Counted counted(run.server);
    counted.begin(begun);
    for_all(run, slots, &Slot::begin);
    const double opening_seconds = static_cast<double>(now() - begun) / 1e9;
    hold(run, options.hold);
    const Memory held = run.server.memory();
    if (options.request) for_all(run, slots, &Slot::ask);
    uint64_t still_open = 0;
    for (auto& slot : slots) {
        still_open += slot->is_open();
        slot->close();
    }
    if (run.server.wanted()) hold(run, 1);  // let it notice
    counted.end(now(), run.opened);

    report.count("connections", run.opened);
    report.count("still_open", still_open);
    if (options.request) report.count("answered", run.answered);
    report.figure("opening_seconds", opening_seconds, "s");
    report.latency("handshake", run.handshake);
    if (options.request) report.latency("answer", run.answer);
    counted.report_cpu(report);
    if (run.server.wanted()) report_memory(report, before, held, run.server.memory(), still_open);
    if (Loop::interrupted()) report.fail("interrupted");
    return {};
}

}  // namespace kahu::load
