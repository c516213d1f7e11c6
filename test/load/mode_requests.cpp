// mode_requests.cpp -- many requests on persistent connections: closed loop (each connection keeps
// `depth` under way) or open loop (so many a second, whatever the answers do; a delay is measured
// from the moment the request was due, so a server that stalls cannot hide it).
#include <fmt/format.h>

#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "test/load/connection.h"
#include "test/load/hook.h"
#include "test/load/modes.h"
#include "test/load/server_usage.h"
#include "test/load/sip.h"
#include "test/load/tls_client.h"

namespace kahu::load {
namespace {

struct Run {
    Run(const Options& o, Report& r) : options(o), report(r), hook(o, loop, r), server(o.server) {}
    bool may_issue() const { return sending && (options.total == 0 || issued < options.total || !hook.finished()); }

    const Options& options;
    Report& report;
    Loop loop;
    Hook hook;
    ServerUsage server;
    Wire wire{options, loop};
    bool sending = false, counting = false;
    uint64_t issued = 0, answered = 0, opened = 0, opening = 0, dead = 0, outstanding = 0;
    uint64_t counted = 0;                  // answered while counting
    uint64_t lost = 0, lost_requests = 0;  // with --allow-lost: connections opened anew, what they had under way
    Histogram latency;
    std::string batch;  // requests of one write
};

class Slot final : public Connection {
  public:
    Slot(Run& run, unsigned index)
        : Connection(run.wire),
          run_(run),
          request_(run.options.method, run.options.transport, run.options.target, index,
                   run.options.users / static_cast<unsigned>(run.options.concurrency)),
          due_(std::bit_ceil(run.options.rate > 0 ? 1024u : 2u * static_cast<unsigned>(run.options.depth))) {}

    void begin() {
        ++run_.opening;
        start(now());
    }
    void fill() {
        const Nanos at = now();
        run_.batch.clear();
        for (int i = outstanding_; i < run_.options.depth && run_.may_issue(); ++i) queue(at);
        write_batch();
    }
    void issue(Nanos due) {
        run_.batch.clear();
        if (is_open()) queue(due);
        else run_.report.fail("not sent: connection lost"), ++run_.issued;
        write_batch();
    }
    // Counts what has waited too long; a stream with such an answer missing is given up.
    void expire(Nanos at) {
        if (reopen_at_ != 0 && at >= reopen_at_) {
            reopen_at_ = 0;
            return begin();
        }
        const auto limit = static_cast<Nanos>(run_.options.timeout * 1e9);
        if (!opened_ && is_open() && at - since() > limit) {
            close();
            return ended("timeout: handshake");
        }
        if (outstanding_ == 0) return;
        for (auto& due : due_)
            if (due != 0 && at - due > limit) lose(due, "timeout: no answer");
        if (run_.options.rate == 0 && is_open()) fill();
    }
    int outstanding() const { return outstanding_; }

  private:
    void opened() override {
        opened_ = true;
        --run_.opening;
        ++run_.opened;
        if (run_.sending && run_.options.rate == 0) refill_ = true;
    }

    void queue(Nanos due) {
        Nanos& place = due_[next_ & (due_.size() - 1)];
        if (place != 0)
            lose(place, run_.options.rate > 0 ? "not answered in time: 1024 under way" : "timeout: no answer");
        place = due;
        ++outstanding_;
        ++run_.outstanding;
        ++run_.issued;
        const std::string_view text = request_.numbered(next_++);
        if (run_.options.transport == Transport::udp) send(text);
        else run_.batch += text;
    }
    void write_batch() {
        if (!run_.batch.empty()) send(run_.batch);
    }
    void lose(Nanos& place, const char* reason) {
        place = 0;
        --outstanding_;
        --run_.outstanding;
        run_.report.fail(reason);
    }

    size_t received(std::string_view bytes) override {
        size_t used = 0;
        const Nanos at = now();
        while (used < bytes.size()) {
            Answer answer;
            const long n = read_answer(bytes.substr(used), answer);
            if (n == 0) break;
            if (n < 0) {
                run_.report.fail("answer: not understood");
                close();
                gone();
                return 0;
            }
            used += static_cast<size_t>(n);
            take(answer, at);
        }
        if (used > 0 && run_.options.rate == 0 && is_open()) fill();
        return used;
    }

    void take(const Answer& answer, Nanos at) {
        const uint32_t number = answer.has_number ? answer.number : oldest_++;
        Nanos& due = due_[number & (due_.size() - 1)];
        if (due == 0 || number >= next_) {
            if (run_.options.transport != Transport::udp) run_.report.fail("answer: to no request of ours");
            return;
        }
        if (answer.status != 200) run_.report.fail(fmt::format("answer: {}", answer.status));
        if (run_.counting) {
            run_.latency.record(at - due);
            ++run_.counted;
        }
        ++run_.answered;
        --run_.outstanding;
        --outstanding_;
        due = 0;
    }

    void ended(const std::string& reason) override {
        if (run_.lost < run_.options.allow_lost) return lost();
        run_.report.fail("connection: " + reason);
        gone();
    }
    // The server lost this connection; whoever was on it comes back.
    void lost() {
        ++run_.lost;
        if (!opened_) --run_.opening;
        for (auto& due : due_)
            if (due != 0) {
                due = 0;
                --outstanding_;
                --run_.outstanding;
                ++run_.lost_requests;
            }
        oldest_ = next_;
        opened_ = false;
        reopen_at_ = now() + 20'000'000;
    }
    void drained() override {
        if (!std::exchange(refill_, false)) return;
        fill();
    }
    void gone() {
        if (!opened_) --run_.opening;
        ++run_.dead;
        for (auto& due : due_)
            if (due != 0) lose(due, "not answered: connection lost");
    }

    Run& run_;
    RequestTemplate request_;
    std::vector<Nanos> due_;  // by number modulo size; 0: not under way
    uint32_t next_ = 0, oldest_ = 0;
    int outstanding_ = 0;
    bool opened_ = false, refill_ = false;
    Nanos reopen_at_ = 0;  // after a loss
};

// Opens all connections, warms up, counts, drains: the phases of a run in order.
class Phases {
  public:
    explicit Phases(Run& run) : run_(run) {
        for (int i = 0; i < run.options.concurrency; ++i)
            slots_.push_back(std::make_unique<Slot>(run, static_cast<unsigned>(i)));
    }

    Nanos turn(Nanos at) {
        if (at >= next_scan_) {
            for (auto& slot : slots_) slot->expire(at);
            next_scan_ = at + 100'000'000;
        }
        if (!run_.sending && !counted_.ended()) return open_some(at);
        if (run_.sending) {
            run_.hook.turn(run_.answered);
            if (!run_.counting && at - sending_since_ >= seconds(run_.options.warmup) &&
                run_.answered >= run_.options.skip)
                begin_counting(at);
            if (run_.options.rate > 0) issue_due(at);
            if (over(at)) end_counting(at);
        }
        if (counted_.ended() && (run_.outstanding == 0 || run_.dead == slots_.size())) return Loop::kStop;
        return run_.sending && run_.options.rate > 0 ? next_due_ : at + 50'000'000;
    }

    void report(Report& report) const {
        report.count("connections", run_.opened);
        report.count("connections_lost", run_.dead);
        if (run_.options.allow_lost > 0) {
            report.count("reopened", run_.lost);
            report.count("requests_lost", run_.lost_requests);
        }
        report.count("requests", run_.issued);
        report.count("answered", run_.answered);
        report.count("counted", run_.counted);
        counted_.report_rate(report);
        report.latency("answer", run_.latency);
        if (run_.hook.runs() > 0) report.count("commands", run_.hook.runs());
        counted_.report_cpu(report);
        report_memory(report, run_.server);
    }

  private:
    static Nanos seconds(double s) { return static_cast<Nanos>(s * 1e9); }

    Nanos open_some(Nanos at) {
        constexpr uint64_t kAtATime = 64;
        while (begun_ < slots_.size() && run_.opening < kAtATime) slots_[begun_++]->begin();
        if (begun_ < slots_.size() || run_.opening > 0) return at + 50'000'000;
        if (run_.opened == 0) return Loop::kStop;
        run_.sending = true;
        sending_since_ = next_due_ = now();
        if (run_.options.warmup == 0 && run_.options.skip == 0) begin_counting(sending_since_);
        if (run_.options.rate == 0)
            for (auto& slot : slots_)
                if (slot->is_open()) slot->fill();
        return sending_since_;
    }
    void issue_due(Nanos at) {
        const auto gap = static_cast<Nanos>(1e9 / run_.options.rate);
        for (; next_due_ <= at && run_.may_issue(); next_due_ += gap)
            slots_[next_slot_++ % slots_.size()]->issue(next_due_);
    }
    void begin_counting(Nanos at) {
        run_.counting = true;
        counted_.begin(at);
    }
    bool over(Nanos at) const {
        if (run_.dead == slots_.size()) return true;
        const Options& o = run_.options;
        if (o.seconds > 0 && at - sending_since_ >= seconds(o.seconds + o.warmup)) return true;
        return o.total > 0 && !run_.may_issue() && run_.outstanding == 0 && run_.hook.finished();
    }
    void end_counting(Nanos at) {
        if (!run_.counting) begin_counting(at);
        run_.sending = run_.counting = false;
        counted_.end(at, run_.counted);
    }

    Run& run_;
    std::vector<std::unique_ptr<Slot>> slots_;
    size_t begun_ = 0, next_slot_ = 0;
    Nanos sending_since_ = 0, next_due_ = 0, next_scan_ = 0;
    Counted counted_{run_.server};
};

}  // namespace

Status run_requests(const Options& options, Report& report) {
    auto context = make_client_context(options);
    if (!context) return std::move(context).error();
    Run run(options, report);
    if (options.transport == Transport::tls) run.wire.tls = context->get();
    run.wire.sources = sources_for(options, static_cast<uint64_t>(options.concurrency));
    run.batch.reserve(static_cast<size_t>(options.depth) * 600);
    Phases phases(run);
    run.loop.run([&](Nanos at) { return phases.turn(at); });
    phases.report(report);
    if (run.answered == 0) report.fail("nothing was answered");
    if (Loop::interrupted()) report.fail("interrupted");
    return {};
}

}  // namespace kahu::load
