// mode_handshake.cpp -- connections that come, shake hands, perhaps ask one thing, and go.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "test/load/connection.h"
#include "test/load/hook.h"
#include "test/load/modes.h"
#include "test/load/server_usage.h"
#include "test/load/sip.h"
#include "test/load/tls_client.h"

namespace kahu::load {
namespace {

// Counted before and after the command of --at-half, to tell whether a reload cost the sessions.
struct Resumption {
    uint64_t attempts = 0, resumed = 0;
};

struct Run {
    Run(const Options& o, Report& r) : options(o), report(r), hook(o, loop, r), server(o.server) {}
    const Options& options;
    Report& report;
    Loop loop;
    Hook hook;
    ServerUsage server;
    Wire wire{options, loop};
    uint64_t started = 0, finished = 0, succeeded = 0, full = 0, lost = 0;
    Resumption resumption[2];
    uint64_t certificates_checked = 0;
    Histogram handshake, answer;
};

class Slot final : public Connection {
  public:
    Slot(Run& run, unsigned index)
        : Connection(run.wire),
          run_(run),
          request_(run.options.method, run.options.transport, run.options.target, index) {}

    bool idle() const { return !busy_; }
    void begin(Nanos due) {
        busy_ = true;
        due_ = due;
        epoch_ = run_.hook.epoch();
        after_half_ = run_.hook.half_done();
        ++run_.started;
        // A copy again, for the reason at keep_session().
        const Session offer(session_ != nullptr ? SSL_SESSION_dup(session_.get()) : nullptr);
        offered_ = offer != nullptr;
        ticket_came_ = false;
        start(now(), offer.get());
    }
    void remember(SSL_SESSION* session) {  // takes it
        session_.reset(session);
        ticket_came_ = true;
    }
    void expire(Nanos at) {
        if (busy_ && at - since() > static_cast<Nanos>(run_.options.timeout * 1e9)) {
            close();
            finish(asked_        ? "timeout: no answer"
                   : handshaken_ ? "timeout: no end from the server"
                                 : "timeout: handshake");
        }
    }

  private:
    void opened() override {
        const Nanos at = now();
        run_.handshake.record(at - due_);
        handshaken_ = true;
        if (ssl() != nullptr && !check_session()) {
            close();
            return finish("certificate: not the expected one");
        }
        if (run_.options.request) {
            asked_ = at;
            send(request_.numbered(static_cast<uint32_t>(run_.started % 800'000'000)));
        } else if (!waits_for_ticket()) {
            say_goodbye();
        }
    }

    // A TLS 1.3 server gives its ticket after the handshake: leaving before that would lose it.
    bool waits_for_ticket() const {
        return run_.options.mode == Mode::resume && !run_.options.request && SSL_version(ssl()) == TLS1_3_VERSION &&
               !ticket_came_;
    }
    void drained() override {
        if (asked_ == 0 && !waits_for_ticket()) say_goodbye();
    }

    bool check_session() {
        const bool resumed = SSL_session_reused(ssl()) == 1;
        if (run_.options.mode == Mode::resume && offered_) {
            ++run_.resumption[after_half_].attempts;
            run_.resumption[after_half_].resumed += resumed;
        }
        if (resumed) return true;
        ++run_.full;
        const std::string& expected = run_.hook.expected_fingerprint();
        if (expected.empty() || run_.hook.running() || run_.hook.epoch() != epoch_) return true;
        ++run_.certificates_checked;
        return fingerprint_of(ssl()) == expected;
    }

    size_t received(std::string_view bytes) override {
        if (asked_ == 0) return bytes.size();
        Answer answer;
        const long used = read_answer(bytes, answer);
        if (used == 0) return 0;
        run_.answer.record(now() - asked_);
        close();
        finish(used < 0               ? "answer: not understood"
               : answer.status == 200 ? ""
                                      : fmt::format("answer: {}", answer.status));
        return bytes.size();
    }

    void ended(const std::string& reason) override { finish(reason); }

    // An end, as opposed to wrong bytes, a wrong answer or silence.
    static bool is_loss(std::string_view reason) {
        return reason.find("closed by the server") != reason.npos || reason.find("reset by peer") != reason.npos ||
               reason.find("Broken pipe") != reason.npos || reason.find("unexpected eof") != reason.npos;
    }
    void finish(const std::string& reason) {
        if (!busy_) return;
        busy_ = false;
        asked_ = 0;
        handshaken_ = false;
        ++run_.finished;
        if (reason.empty()) ++run_.succeeded;
        else if (is_loss(reason) && run_.lost < run_.options.allow_lost) ++run_.lost;
        else run_.report.fail(reason);
    }

    Run& run_;
    RequestTemplate request_;
    Session session_;
    bool busy_ = false, handshaken_ = false, after_half_ = false, offered_ = false, ticket_came_ = false;
    unsigned epoch_ = 0;
    Nanos due_ = 0, asked_ = 0;
};

// A copy: libssl marks its own as not resumable when a connection ends without the server's close_notify.
int keep_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<Slot*>(static_cast<Connection*>(SSL_get_app_data(ssl)))->remember(SSL_SESSION_dup(session));
    return 0;  // the original stays libssl's
}

// Starts connections as they become due and slots become free.
class Schedule {
  public:
    Schedule(Run& run, std::vector<std::unique_ptr<Slot>>& slots)
        : run_(run), slots_(slots), begun_(now()), due_(begun_), next_scan_(begun_) {}

    Nanos turn(Nanos at) {
        run_.hook.turn(run_.finished);
        if (at >= next_scan_) {
            for (auto& slot : slots_) slot->expire(at);
            next_scan_ = at + 100'000'000;
        }
        const bool more = wanted(at);
        if (more) start_due(at);
        if (!more && run_.started == run_.finished && !run_.hook.running()) return Loop::kStop;
        return run_.options.rate > 0 && more ? due_ : at + 100'000'000;
    }

  private:
    bool wanted(Nanos at) const {
        const Options& o = run_.options;
        if (o.seconds > 0 && static_cast<double>(at - begun_) / 1e9 >= o.seconds) return false;
        return (o.total == 0 && o.repeats == 0) || run_.started < o.total || !run_.hook.finished();
    }
    void start_due(Nanos at) {
        const double rate = run_.options.rate;
        for (auto& slot : slots_) {
            if (!slot->idle()) continue;
            if (!wanted(at) || (rate > 0 && due_ > at)) return;
            slot->begin(rate > 0 ? due_ : now());
            if (rate > 0) due_ += static_cast<Nanos>(1e9 / rate);
        }
    }

    Run& run_;
    std::vector<std::unique_ptr<Slot>>& slots_;
    Nanos begun_, due_, next_scan_;
};

void report_resumption(const Run& run, Report& report) {
    const Resumption& before = run.resumption[0];
    const Resumption& after = run.resumption[1];
    const auto percent = [](uint64_t part, uint64_t whole) {
        return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    };
    const uint64_t attempts = before.attempts + after.attempts;
    report.count("resumption_attempts", attempts);
    report.figure("resumed_percent", percent(before.resumed + after.resumed, attempts), "%");
    if (run.hook.runs() > 0) {
        report.figure("resumed_before_percent", percent(before.resumed, before.attempts), "%");
        report.figure("resumed_after_percent", percent(after.resumed, after.attempts), "%");
        if (after.attempts == 0) report.fail("no resumption was tried after the command");
    }
    if (attempts == 0) report.fail("no session to resume: the server gave none");
    else if (percent(before.resumed + after.resumed, attempts) < run.options.min_resumed)
        report.fail("not resumed", attempts - before.resumed - after.resumed);
}

}  // namespace

unsigned sources_for(const Options& options, uint64_t connections) {
    if (options.sources > 0) return static_cast<unsigned>(options.sources);
    const std::string ip = options.target.ip();
    if (!ip.starts_with("127.") || connections < 20'000) return 0;
    return static_cast<unsigned>(std::min<uint64_t>(connections / 20'000 + 1, 64));
}

Status run_handshakes(const Options& options, Report& report) {
    auto context = make_client_context(options);
    if (!context) return std::move(context).error();
    Run run(options, report);
    if (options.transport == Transport::tls) run.wire.tls = context->get();
    run.wire.sources = sources_for(options, options.total > 0 ? options.total : 200'000);
    if (options.mode == Mode::resume) {
        SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context->get(), keep_session);
    }
    std::vector<std::unique_ptr<Slot>> slots;
    for (int i = 0; i < options.concurrency; ++i)
        slots.push_back(std::make_unique<Slot>(run, static_cast<unsigned>(i)));

    Counted counted(run.server);
    counted.begin(now());
    Schedule schedule(run, slots);
    run.loop.run([&](Nanos at) { return schedule.turn(at); });
    counted.end(now(), run.succeeded);

    report.count("connections", run.finished);
    report.count("succeeded", run.succeeded);
    report.count("full_handshakes", run.full);
    if (options.allow_lost > 0) report.count("lost", run.lost);
    counted.report_rate(report);
    report.latency("handshake", run.handshake);
    if (options.request) report.latency("answer", run.answer);
    if (options.mode == Mode::resume) report_resumption(run, report);
    if (run.hook.runs() > 0) report.count("commands", run.hook.runs());
    if (run.certificates_checked > 0) report.count("certificates_checked", run.certificates_checked);
    counted.report_cpu(report);
    report_memory(report, run.server);
    if (Loop::interrupted()) report.fail("interrupted");
    return {};
}

}  // namespace kahu::load
