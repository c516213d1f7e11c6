// mode_calls.cpp -- calls through a proxy, both ends in this process: INVITE 100 180 200 ACK BYE 200.
//
// The two ends of a call help each other: the 200 is sent when its 180 was heard, the BYE when the ACK has come.  So no
// two messages of a call share a segment or a TLS record by luck, and each costs the server what it costs between
// phones that are people's.  What is not heard within T1 is sent again over UDP, and an unacknowledged 200 over
// anything (RFC 3261 13.3.1.4).
#include <fmt/format.h>

#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "test/load/callee.h"
#include "test/load/modes.h"
#include "test/load/server_usage.h"

namespace kahu::load {
namespace {

constexpr Nanos kT1 = 500'000'000;

class Caller;

struct Call {
    enum class Near : uint8_t { inviting, proceeding, talking, leaving };  // the caller's side
    enum class Far : uint8_t { idle, ringing, answered, talking, ended };
    Caller* caller = nullptr;
    Nanos due = 0, deadline = 0;
    Nanos resend_at = 0, wait = kT1;  // caller's, over UDP
    Nanos far_at = 0, far_wait = kT1;
    Near near = Near::inviting;
    Far far = Far::idle;
    std::string request;              // the caller's newest
    std::string ack;                  // for repeated 200s
    std::string to, contact, routes;  // of the dialog
    std::string echo;                 // of the INVITE
    Leg* leg = nullptr;
    std::string_view state() const {
        constexpr std::string_view kNames[] = {"no answer", "no final answer", "no ACK seen", "no answer to BYE"};
        return kNames[static_cast<size_t>(near)];
    }
};

struct Run {
    Run(const Options& o, Report& r);
    const Options& options;
    Report& report;
    Loop loop;
    ServerUsage server;
    Wire wire{options, loop};
    Callee callee;
    CallerText text;
    std::unordered_map<uint32_t, Call> calls;
    bool counting = false;
    uint64_t begun = 0, completed = 0, counted = 0, opened = 0, opening = 0, dead = 0, reopened = 0, lost_calls = 0;
    uint64_t requests_repeated = 0, answers_repeated = 0, sent_again = 0;
    Histogram setup, whole;

    void far_request(const CallMessage& message, Leg& leg);
    void far_answer(Call& call);
    void far_send(Call& call, std::string_view bytes);
    void expire(Nanos at);
    void expire_one(uint32_t number, Call& call, Nanos at);
    void finish(uint32_t number, Call& call, Nanos at);
};

class Caller final : public Connection {
  public:
    explicit Caller(Run& run) : Connection(run.wire), run_(run) {}
    void begin() {
        ++run_.opening;
        start(now());
    }
    bool usable() const { return opened_; }
    void call(Nanos due) {
        const auto number = static_cast<uint32_t>(run_.begun++);
        Call& call = run_.calls[number];
        call.caller = this;
        call.due = due;
        call.deadline = now() + static_cast<Nanos>(run_.options.timeout * 1e9);
        call.request = run_.text.invite(number);
        ask(call);
    }
    void hang_up(uint32_t number, Call& call) {
        call.near = Call::Near::leaving;
        call.request = run_.text.in_dialog("BYE", number, call.to, call.contact, call.routes);
        ask(call);
    }
    void again(Call& call, Nanos at) {
        ++run_.sent_again;
        call.wait = std::min<Nanos>(2 * call.wait, 8 * kT1);
        call.resend_at = at + call.wait;
        send(call.request);
    }
    void turn(Nanos at) {
        if (reopen_at_ == 0 || at < reopen_at_) return;
        reopen_at_ = 0;
        begin();
    }

  private:
    void ask(Call& call) {
        call.wait = kT1;
        call.resend_at = run_.options.transport == Transport::udp ? now() + kT1 : 0;
        send(call.request);
    }
    void opened() override {
        opened_ = true;
        --run_.opening;
        ++run_.opened;
    }
    size_t received(std::string_view bytes) override {
        size_t used = 0;
        while (used < bytes.size()) {
            CallMessage message;
            const long n = read_call_message(bytes.substr(used), message);
            if (n == 0) break;
            if (n < 0) {
                run_.report.fail("caller: not understood");
                return bytes.size();
            }
            used += static_cast<size_t>(n);
            if (message.status != 0) take(message);
        }
        return used;
    }
    void take(const CallMessage& message) {
        const auto found = run_.calls.find(message.number);
        if (found == run_.calls.end()) {
            if (message.status >= 200) ++run_.answers_repeated;
            return;
        }
        Call& call = found->second;
        if (message.status >= 300) {
            run_.report.fail(fmt::format("{} to {}", message.status, message.method));
            run_.calls.erase(found);
        } else if (message.method == "BYE") {
            if (message.status == 200) run_.finish(found->first, call, now());
        } else {
            answer_to_invite(message, call);
        }
    }
    void answer_to_invite(const CallMessage& message, Call& call) {
        if (message.status < 200) {
            if (call.near == Call::Near::inviting) call.near = Call::Near::proceeding;
            call.resend_at = 0;
            if (message.status == 180 && call.far == Call::Far::ringing) run_.far_answer(call);
            return;
        }
        if (call.near >= Call::Near::talking) {
            ++run_.answers_repeated;
            return send(call.ack);
        }
        call.near = Call::Near::talking;
        call.resend_at = 0;
        call.to = message.to;
        call.contact = message.contact;
        call.routes = routes_of(message);
        if (run_.counting) run_.setup.record(now() - call.due);
        call.ack = run_.text.in_dialog("ACK", message.number, call.to, call.contact, call.routes);
        send(call.ack);
    }
    void ended(const std::string& reason) override {
        if (!std::exchange(opened_, false)) --run_.opening;
        const bool allowed = run_.reopened < run_.options.allow_lost;
        for (auto it = run_.calls.begin(); it != run_.calls.end();) {
            if (it->second.caller != this) {
                ++it;
                continue;
            }
            if (allowed) ++run_.lost_calls;
            else run_.report.fail("call: connection lost");
            it = run_.calls.erase(it);
        }
        if (allowed) {
            ++run_.reopened;
            reopen_at_ = now() + 20'000'000;
            return;
        }
        run_.report.fail("connection: " + reason);
        ++run_.dead;
    }

    Run& run_;
    bool opened_ = false;
    Nanos reopen_at_ = 0;
};

Run::Run(const Options& o, Report& r)
    : options(o),
      report(r),
      server(o.server),
      callee(wire, [this](const CallMessage& message, Leg& leg) { far_request(message, leg); }),
      text(o.transport, callee.uri()) {}

void Run::far_send(Call& call, std::string_view bytes) {
    call.far_at = now() + call.far_wait;
    call.leg->reply(bytes);
}

void Run::far_answer(Call& call) {
    call.far = Call::Far::answered;
    far_send(call, callee_answer("200 OK", call.echo, callee.uri(), true));
}

void Run::far_request(const CallMessage& message, Leg& leg) {
    const auto found = calls.find(message.number);
    const std::string_view method = message.head.substr(0, message.head.find(' '));
    if (method == "BYE") {
        leg.reply(callee_answer("200 OK", echo_of(message, "callee"), callee.uri(), false));
        if (found == calls.end() || found->second.far == Call::Far::ended) ++requests_repeated;
        else found->second.far = Call::Far::ended;
        return;
    }
    if (found == calls.end()) {
        if (method == "INVITE") ++requests_repeated;
        return;
    }
    Call& call = found->second;
    if (method == "ACK") {
        if (call.far != Call::Far::answered) return;
        call.far = Call::Far::talking;
        if (call.near == Call::Near::talking) call.caller->hang_up(found->first, call);
        return;
    }
    if (method != "INVITE") return report.fail(fmt::format("callee: unexpected {}", method));
    call.leg = &leg;
    if (call.far == Call::Far::idle) {
        call.far = Call::Far::ringing;
        call.echo = echo_of(message, fmt::format("b{}", message.number));
    } else {
        ++requests_repeated;
    }
    if (call.far == Call::Far::ringing) far_send(call, callee_answer("180 Ringing", call.echo, callee.uri(), false));
}

void Run::finish(uint32_t number, Call& call, Nanos at) {
    ++completed;
    if (counting) {
        ++counted;
        whole.record(at - call.due);
    }
    calls.erase(number);
}

// What was lost on the way is sent again; what takes too long has failed.
void Run::expire(Nanos at) {
    std::vector<uint32_t> numbers;  // sending may end a connection, and that ends calls
    for (const auto& [number, call] : calls) numbers.push_back(number);
    for (const uint32_t number : numbers) {
        const auto found = calls.find(number);
        if (found != calls.end()) expire_one(number, found->second, at);
    }
}

void Run::expire_one(uint32_t number, Call& call, Nanos at) {
    if (at > call.deadline) {
        report.fail(fmt::format("call: {}", call.state()));
        calls.erase(number);
    } else if (call.far == Call::Far::ringing && at > call.far_at) {
        far_answer(call);
    } else if (call.far == Call::Far::answered && at > call.far_at) {
        ++sent_again;
        call.far_wait = std::min<Nanos>(2 * call.far_wait, 8 * kT1);
        far_answer(call);
    } else if (call.resend_at != 0 && at > call.resend_at) {
        call.caller->again(call, at);
    }
}

// Opens all connections, warms up, counts, drains: the phases of a run in order.
class Phases {
  public:
    explicit Phases(Run& run) : run_(run) {
        for (int i = 0; i < run.options.concurrency; ++i) callers_.push_back(std::make_unique<Caller>(run));
    }

    Nanos turn(Nanos at) {
        if (at >= next_scan_) {
            run_.expire(at);
            for (auto& caller : callers_) caller->turn(at);
            next_scan_ = at + 20'000'000;
        }
        if (begun_at_ == 0) return open_some(at);
        if (!counted_.ended()) {
            if (!run_.counting && at - begun_at_ >= seconds(run_.options.warmup)) begin_counting(at);
            if (run_.options.rate > 0) issue_due(at);
            else refill(at);
            if (over(at)) end_counting(at);
        }
        if (counted_.ended() && run_.calls.empty()) return Loop::kStop;
        return !counted_.ended() && run_.options.rate > 0 ? std::min(next_due_, next_scan_) : next_scan_;
    }

    void report(Report& report) const {
        report.count("connections", run_.opened);
        report.count("connections_lost", run_.dead);
        if (run_.options.allow_lost > 0) {
            report.count("reopened", run_.reopened);
            report.count("calls_lost", run_.lost_calls);
        }
        report.count("callee_connections", run_.callee.connections());
        report.count("calls", run_.begun);
        report.count("completed", run_.completed);
        report.count("counted", run_.counted);
        report.count("requests_repeated", run_.requests_repeated);
        report.count("answers_repeated", run_.answers_repeated);
        report.count("sent_again", run_.sent_again);
        counted_.report_rate(report);
        report.latency("answer", run_.setup);
        report.latency("call", run_.whole);
        counted_.report_cpu(report);
        report_memory(report, run_.server);
    }

  private:
    static Nanos seconds(double s) { return static_cast<Nanos>(s * 1e9); }

    Nanos open_some(Nanos at) {
        constexpr uint64_t kAtATime = 64;
        while (next_open_ < callers_.size() && run_.opening < kAtATime) callers_[next_open_++]->begin();
        if (next_open_ < callers_.size() || run_.opening > 0) return at + 50'000'000;
        if (run_.opened == 0) return Loop::kStop;
        begun_at_ = next_due_ = now();
        return begun_at_;
    }
    bool may_begin() const { return run_.options.total == 0 || run_.begun < run_.options.total; }
    void begin_call(Nanos due) {
        for (size_t tried = 0; tried < callers_.size(); ++tried) {
            Caller& caller = *callers_[next_caller_++ % callers_.size()];
            if (caller.usable()) return caller.call(due);
        }
        run_.report.fail("not begun: no connection");
        ++run_.begun;
    }
    void issue_due(Nanos at) {
        const auto gap = static_cast<Nanos>(1e9 / run_.options.rate);
        for (; next_due_ <= at && may_begin(); next_due_ += gap) begin_call(next_due_);
    }
    void refill(Nanos at) {
        const auto most = callers_.size() * static_cast<size_t>(run_.options.depth);
        while (run_.calls.size() < most && may_begin() && run_.dead < callers_.size()) begin_call(at);
    }
    void begin_counting(Nanos at) {
        run_.counting = true;
        counted_.begin(at);
    }
    bool over(Nanos at) const {
        const Options& o = run_.options;
        if (run_.dead == callers_.size()) return true;
        if (o.seconds > 0 && at - begun_at_ >= seconds(o.seconds + o.warmup)) return true;
        return o.total > 0 && !may_begin() && run_.calls.empty();
    }
    void end_counting(Nanos at) {
        if (!run_.counting) begin_counting(at);
        run_.counting = false;
        counted_.end(at, run_.counted);
    }

    Run& run_;
    std::vector<std::unique_ptr<Caller>> callers_;
    size_t next_open_ = 0, next_caller_ = 0;
    Nanos begun_at_ = 0, next_due_ = 0, next_scan_ = 0;
    Counted counted_{run_.server};
};

}  // namespace

Status run_calls(const Options& options, Report& report) {
    auto context = make_client_context(options);
    if (!context) return std::move(context).error();
    Run run(options, report);
    if (options.transport == Transport::tls) run.wire.tls = context->get();
    run.wire.sources = sources_for(options, static_cast<uint64_t>(options.concurrency));
    if (Status status = run.callee.listen(); !status) return status;
    Phases phases(run);
    run.loop.run([&](Nanos at) { return phases.turn(at); });
    phases.report(report);
    report.fail("callee: not understood", run.callee.not_understood());
    if (run.completed == 0) report.fail("no call was completed");
    if (Loop::interrupted()) report.fail("interrupted");
    return {};
}

}  // namespace kahu::load
